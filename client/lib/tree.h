/* Directories by descriptor: nothing here follows a link that somebody else put in the way. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <stdbool.h>

#include "lib/lib.h"

#define NAME_BYTES 256

/* The folder in which `directory` lies, opened, and its own name. Refuses ".", ".." and "/". */
int tree_open_parent(struct fault *f, const char *directory, int *parent, char name[NAME_BYTES]);
/* The folders that lead to the file `path` below root. */
int tree_make_folders(struct fault *f, int root, const char *path);
/* Remove all below root but the files and folders that keep() wants, told by their path below root; links go always. */
int tree_prune(struct fault *f, int root, bool (*keep)(void *arg, const char *path, bool folder), void *arg);
/* Sync a folder and all folders in it. */
int tree_sync(struct fault *f, int folder);
/* A folder with everything in it; true when it is gone. Links are removed, not followed. */
bool tree_remove(int parent, const char *name);
/* Permissions a new folder would get: 0777 without the process's mask. */
unsigned tree_folder_mode(void);

#endif

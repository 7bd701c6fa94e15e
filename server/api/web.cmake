# The web UI for api/web.c: web_files.c, a C table of the built files. Included by server/api/CMakeLists.txt after
# cairn_library(api …). With CAIRN_WEB=OFF the table is empty and Node is not needed.
set(WEB_TABLE ${CMAKE_CURRENT_BINARY_DIR}/web_files.c)

if(CAIRN_WEB)
	find_program(NPM npm)
	find_program(NODE NAMES node nodejs)
	find_program(FLOCK flock)
	if(NOT NPM OR NOT NODE OR NOT FLOCK)
		message(FATAL_ERROR "the web UI is built with Node 18 or newer, npm and flock: install nodejs and npm, or configure with -DCAIRN_WEB=OFF")
	endif()
	set(WEB ${CMAKE_SOURCE_DIR}/web)
	file(GLOB_RECURSE WEB_SOURCES CONFIGURE_DEPENDS ${WEB}/src/*)
	# several builds may share one source tree: the lock keeps them from installing over each other
	add_custom_command(OUTPUT ${WEB_TABLE}
		COMMAND ${FLOCK} ${WEB} sh ${WEB}/build.sh ${CMAKE_BINARY_DIR}/web ${WEB_TABLE}
		DEPENDS ${WEB_SOURCES} ${WEB}/package.json ${WEB}/package-lock.json ${WEB}/tsconfig.json ${WEB}/build.mjs ${WEB}/build.sh
		WORKING_DIRECTORY ${WEB}
		COMMENT "Building the web UI"
		VERBATIM)
else()
	file(CONFIGURE OUTPUT ${WEB_TABLE} @ONLY CONTENT [[
#include "api/web_files.h"
const struct web_file web_files[1] = { { 0 } };
const size_t web_file_count = 0;
]])
endif()
target_sources(api PRIVATE ${WEB_TABLE})

# How everything here is compiled: language, warnings, hardening, sanitizers; and cairn_library(), one call a folder.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_compile_definitions(_GNU_SOURCE CAIRN_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wvla -Werror -fstack-protector-strong -fno-omit-frame-pointer -ffunction-sections -fdata-sections)
if(NOT SANITIZE)
	add_compile_options($<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2> $<$<NOT:$<CONFIG:Debug>>:-fstack-clash-protection>)
else()
	add_compile_options(-fsanitize=${SANITIZE} -fno-sanitize-recover=all)
	add_link_options(-fsanitize=${SANITIZE})
endif()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections)
# asserts guard what cannot happen; they stay on in every build
foreach(type RELEASE RELWITHDEBINFO MINSIZEREL)
	string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${type} "${CMAKE_C_FLAGS_${type}}")
endforeach()

# cairn_library(base PKG jansson libsodium)            PKG: what it alone speaks, found by pkg-config, seen by nobody else
# cairn_library(store USES base nouns PKG libpq)       USES: the folders it may include; a wrong include does not compile
# Sources are the folder's *.c. Headers are included by folder: #include "base/status.h".
function(cairn_view target scope folder)
	set(view ${CMAKE_BINARY_DIR}/include/${target})
	get_filename_component(name ${folder} NAME)
	file(MAKE_DIRECTORY ${view})
	file(CREATE_LINK ${folder} ${view}/${name} SYMBOLIC)
	target_include_directories(${target} ${scope} ${view})
endfunction()

function(cairn_library name)
	cmake_parse_arguments(ARG "" "" "USES;PKG;LINK" ${ARGN})
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
	add_library(${name} STATIC ${sources})
	cairn_view(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(${name} PRIVATE Threads::Threads ${ARG_USES} ${ARG_LINK})
	foreach(pkg ${ARG_PKG})
		pkg_check_modules(PKG_${pkg} REQUIRED IMPORTED_TARGET ${pkg})
		target_link_libraries(${name} PRIVATE PkgConfig::PKG_${pkg})
	endforeach()
endfunction()

# require "nats" for Lua 5.4: one C file per noun, linked with the shared library, which it finds beside itself; or, as
# a rock, with the static one: LuaRocks moves single files.
pkg_check_modules(LUA54 REQUIRED lua5.4)
file(GLOB LUA_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/lua/*.c)
if(NOT LUA_SOURCES)
  message(STATUS "lua: no sources, no module")
  return()
endif()
set(POLYNATS_LUA_DIR lib/lua/5.4 CACHE STRING "Folder of the Lua module under the prefix")
file(RELATIVE_PATH LUA_TO_LIB /${POLYNATS_LUA_DIR} /${CMAKE_INSTALL_LIBDIR})

add_library(nats_lua MODULE ${LUA_SOURCES})
target_include_directories(nats_lua SYSTEM PRIVATE ${LUA54_INCLUDE_DIRS})
if(POLYNATS_ROCK)
  target_link_libraries(nats_lua PRIVATE polynats_static)
  target_link_options(nats_lua PRIVATE -Wl,--exclude-libs,ALL -Wl,-z,nodelete)
else()
  target_link_libraries(nats_lua PRIVATE polynats)
endif()
set_target_properties(nats_lua PROPERTIES PREFIX "" OUTPUT_NAME nats
                      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lua
                      INSTALL_RPATH "$ORIGIN/${LUA_TO_LIB}")
install(TARGETS nats_lua LIBRARY DESTINATION ${POLYNATS_LUA_DIR})

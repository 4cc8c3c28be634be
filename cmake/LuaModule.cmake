# require "nats" for Lua 5.4: one C file per noun.
pkg_check_modules(LUA54 REQUIRED lua5.4)
file(GLOB LUA_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/lua/*.c)
if(LUA_SOURCES)
  add_library(nats_lua MODULE ${LUA_SOURCES})
  target_include_directories(nats_lua SYSTEM PRIVATE ${LUA54_INCLUDE_DIRS})
  target_link_libraries(nats_lua PRIVATE polynats)
  set(LUA_MODULE_DIR ${CMAKE_INSTALL_LIBDIR}/lua/5.4 CACHE STRING "Where the Lua module is installed")
  file(RELATIVE_PATH LUA_TO_LIB /${LUA_MODULE_DIR} /${CMAKE_INSTALL_LIBDIR})
  set_target_properties(nats_lua PROPERTIES PREFIX "" OUTPUT_NAME nats
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lua
                        INSTALL_RPATH "$ORIGIN/${LUA_TO_LIB}")
  install(TARGETS nats_lua LIBRARY DESTINATION ${LUA_MODULE_DIR})
endif()

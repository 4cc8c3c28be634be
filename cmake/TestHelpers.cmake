# Runs a command beside a nats-server of its own, whose address is in $NATS_URL.
set(WITH_SERVER ${PROJECT_SOURCE_DIR}/script/with-server)

# One line per test: add_test() with what every test of ours gets.
wrap_interpreters(WRAPPED_INTERPRETERS lua5.4 luajit)

# Lua's ;; (and what the system has) has to be kept from being taken for the end of a list.
set(TEST_ENVIRONMENT "NATS_SERVER_BIN=${NATS_SERVER};\
POLYNATS_LIB=$<TARGET_FILE:polynats>;\
POLYNATS_FFI_H=${LIBNATS}/include/polynats_ffi.h;\
LUA_CPATH=${CMAKE_BINARY_DIR}/lua/?.so\\;\\;;\
UBSAN_OPTIONS=print_stacktrace=1;\
TSAN_OPTIONS=second_deadlock_stack=1")

# add_a_test(NAME name LABEL label [SERVER] [TIMEOUT seconds] COMMAND …)
# SERVER: it needs a nats-server, and fails without one.
function(add_a_test)
  cmake_parse_arguments(TEST "SERVER" "NAME;LABEL;TIMEOUT" "COMMAND" ${ARGN})
  if(TEST_SERVER AND NOT NATS_SERVER)
    set(TEST_COMMAND ${CMAKE_COMMAND} -E false)
    message(STATUS "${TEST_NAME} will fail: no nats-server (script/bootstrap, or -DNATS_SERVER=…)")
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_test(NAME ${TEST_NAME} COMMAND ${TEST_COMMAND})
  set_tests_properties(${TEST_NAME} PROPERTIES LABELS ${TEST_LABEL} TIMEOUT ${TEST_TIMEOUT}
                       SKIP_RETURN_CODE 77)
  set_property(TEST ${TEST_NAME} PROPERTY ENVIRONMENT "${TEST_ENVIRONMENT}")
  if(WRAPPED_INTERPRETERS)
    set_tests_properties(${TEST_NAME} PROPERTIES
                         ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${WRAPPED_INTERPRETERS}")
  endif()
endfunction()

# A program that sees the library's inside: <folder>/<name>_test.c.
function(add_inside_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE polynats_static PkgConfig::CMOCKA Threads::Threads)
  target_include_directories(${name} PRIVATE ${LIBNATS} ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()

# Runs a command beside a nats-server of its own, whose address is in $NATS_URL.
set(WITH_SERVER ${PROJECT_SOURCE_DIR}/script/with-server)

# One line per test: add_test() with what every test of ours gets.
wrap_interpreters(WRAPPED_INTERPRETERS lua5.4 luajit ruby tclsh python3)

# What a sanitizer slows a program down by, ThreadSanitizer most. Limits of time are multiplied with it.
set(PATIENCE 1)
if(POLYNATS_SANITIZE)
  set(PATIENCE 5)
endif()

# Lua's ;; (and what the system has) has to be kept from being taken for the end of a list.
set(TEST_ENVIRONMENT "NATS_SERVER_BIN=${NATS_SERVER};\
POLYNATS_LIB=$<TARGET_FILE:polynats>;\
POLYNATS_PATIENCE=${PATIENCE};\
POLYNATS_FFI_H=${LIBNATS}/include/polynats_ffi.h;\
LUA_CPATH=${CMAKE_BINARY_DIR}/lua/?.so\\;\\;;\
UBSAN_OPTIONS=print_stacktrace=1;\
TSAN_OPTIONS=second_deadlock_stack=1")

# A test ends with 77 when the machine lacks something. A suite must not be green for that: it is skipped where
# -DPOLYNATS_ALLOW_MISSING=ON says so, and a failure else.
if(POLYNATS_ALLOW_MISSING)
  set(SKIPPING SKIP_RETURN_CODE 77)
endif()

# add_a_test(NAME name LABEL label [SERVER] [MAY_SKIP] [TIMEOUT seconds] COMMAND …)
# SERVER: it needs a nats-server. MAY_SKIP: 77 is no failure, for the test is not meant for every kind of build.
function(add_a_test)
  cmake_parse_arguments(TEST "SERVER;MAY_SKIP" "NAME;LABEL;TIMEOUT" "COMMAND" ${ARGN})
  if(TEST_SERVER AND NOT NATS_SERVER)
    missing_command(TEST_COMMAND "nats-server (script/bootstrap, or -DNATS_SERVER=…)")
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  math(EXPR TEST_TIMEOUT "${TEST_TIMEOUT} * ${PATIENCE}")
  add_test(NAME ${TEST_NAME} COMMAND ${TEST_COMMAND})
  set_tests_properties(${TEST_NAME} PROPERTIES LABELS ${TEST_LABEL} TIMEOUT ${TEST_TIMEOUT}
                       ${SKIPPING})
  if(TEST_MAY_SKIP)
    set_tests_properties(${TEST_NAME} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
  set_property(TEST ${TEST_NAME} PROPERTY ENVIRONMENT "${TEST_ENVIRONMENT}")
  if(WRAPPED_INTERPRETERS)
    set_tests_properties(${TEST_NAME} PROPERTIES
                         ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${WRAPPED_INTERPRETERS}")
  endif()
endfunction()

# What runs in place of a test that lacks `what`: it tells the reason, and is skipped or fails (see above).
function(missing_command command_out what)
  set(${command_out} sh -c "echo 'skipped: there is no ${what}' && exit 77" PARENT_SCOPE)
endfunction()

# add_missing_test(NAME name LABEL label LACKS what): a test that cannot be built or run here.
function(add_missing_test)
  cmake_parse_arguments(MISSING "" "NAME;LABEL;LACKS" "" ${ARGN})
  missing_command(command "${MISSING_LACKS}")
  add_a_test(NAME ${MISSING_NAME} LABEL ${MISSING_LABEL} COMMAND ${command})
endfunction()

# A program that sees the library's inside: <folder>/<name>_test.c. WITH_OPENSSL is 0 where what needs it is refused.
function(add_inside_program name)
  add_executable(${name} ${ARGN})
  target_compile_definitions(${name} PRIVATE WITH_OPENSSL=$<BOOL:${POLYNATS_TLS}>)
  target_link_libraries(${name} PRIVATE polynats_static PkgConfig::CMOCKA Threads::Threads)
  target_include_directories(${name} PRIVATE ${LIBNATS} ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()

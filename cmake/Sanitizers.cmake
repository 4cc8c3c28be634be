# Sanitizers, and how an interpreter that was built without one loads our module that was built with it.
if(POLYNATS_SANITIZE)
  add_compile_options(-fsanitize=${POLYNATS_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${POLYNATS_SANITIZE})
  if(POLYNATS_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND POLYNATS_SANITIZE MATCHES "thread")
    # GCC 12 says that TSan does not know fences. Ours only order what atomics beside them order for TSan too.
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(POLYNATS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

# An interpreter must have the sanitizer's library from its start. Programs of that name in a folder that comes first
# in PATH load it: the tests and the drivers then need to know nothing of sanitizers.
function(wrap_interpreters out)
  set(${out} "" PARENT_SCOPE)
  if(NOT POLYNATS_SANITIZE OR NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  set(name libasan.so)
  if(POLYNATS_SANITIZE MATCHES "thread")
    set(name libtsan.so)
  endif()
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=${name} OUTPUT_VARIABLE runtime
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(folder ${CMAKE_BINARY_DIR}/interpreters)
  add_library(unpreload MODULE ${PROJECT_SOURCE_DIR}/tests/all/unpreload.c)
  set_target_properties(unpreload PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${folder}
                        COMPILE_OPTIONS -fno-sanitize=all LINK_OPTIONS -fno-sanitize=all)
  foreach(interpreter ${ARGN})
    string(MAKE_C_IDENTIFIER "INTERPRETER_${interpreter}" found)
    if(interpreter STREQUAL "python3")
      # The one that the module is built for. It may be a script that chooses, which would use the preload up.
      execute_process(COMMAND ${Python3_EXECUTABLE} -c "import sys; print(sys.executable)"
                      OUTPUT_VARIABLE ${found} OUTPUT_STRIP_TRAILING_WHITESPACE)
    else()
      find_program(${found} ${interpreter} NO_CACHE)
    endif()
    if(${found})
      # What an interpreter leaves behind at its end is not ours to judge: valgrind's run looks at leaks there. Ruby's
      # threads have alternate signal stacks of their own, which ASan would take for the ones it made.
      file(CONFIGURE OUTPUT ${folder}/${interpreter} @ONLY CONTENT
"#!/bin/bash
export ASAN_OPTIONS=\"detect_leaks=0:use_sigaltstack=0:\${ASAN_OPTIONS:-}\"
export LD_PRELOAD=\"@runtime@ @folder@/unpreload.so\"
exec -a \"\$0\" @${found}@ \"\$@\" # by this name it starts itself again
")
      file(CHMOD ${folder}/${interpreter} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    endif()
  endforeach()
  set(${out} ${folder} PARENT_SCOPE)
endfunction()

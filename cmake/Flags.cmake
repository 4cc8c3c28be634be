# What every C file of ours is compiled with.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Werror -Wshadow=local -Wstrict-prototypes)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  add_compile_options(-Wno-shadow)
endif()
# Linux is what we build for: the whole of its C library is there for every file.
add_compile_definitions(_GNU_SOURCE)

if(POLYNATS_SANITIZE)
  add_compile_options(-fsanitize=${POLYNATS_SANITIZE} -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${POLYNATS_SANITIZE})
  if(POLYNATS_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

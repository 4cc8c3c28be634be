# The library, a folder at a time. nats_proto is what a program without I/O may link: no file of it knows sockets,
# threads or clocks (tests/abi/proto_symbols.sh looks).
set(LIBNATS ${CMAKE_CURRENT_SOURCE_DIR}/libnats)

function(layer_sources out)
  set(all)
  foreach(folder ${ARGN})
    file(GLOB files CONFIGURE_DEPENDS ${LIBNATS}/${folder}/*.c)
    list(APPEND all ${files})
  endforeach()
  set(${out} ${all} PARENT_SCOPE)
endfunction()

layer_sources(PROTO_SOURCES base json proto)
list(REMOVE_ITEM PROTO_SOURCES ${LIBNATS}/base/clock.c)
layer_sources(REST_SOURCES io client api)
list(APPEND REST_SOURCES ${LIBNATS}/base/clock.c)

add_library(nats_proto OBJECT ${PROTO_SOURCES})
add_library(nats_rest OBJECT ${REST_SOURCES})
foreach(objects nats_proto nats_rest)
  target_include_directories(${objects} PUBLIC ${LIBNATS} ${LIBNATS}/include)
  target_link_libraries(${objects} PUBLIC PkgConfig::JSONC Threads::Threads)
endforeach()

set(LIBRARY_OBJECTS $<TARGET_OBJECTS:nats_proto> $<TARGET_OBJECTS:nats_rest>)
add_library(polynats SHARED ${LIBRARY_OBJECTS})
add_library(polynats_static STATIC ${LIBRARY_OBJECTS})
set(VERSION_SCRIPT ${LIBNATS}/abi/libpolynats.map)
target_link_options(polynats PRIVATE -Wl,-z,defs -Wl,-z,relro -Wl,-z,now)
if(POLYNATS_SANITIZE)
  set_target_properties(polynats PROPERTIES LINK_OPTIONS "-Wl,-z,relro")
endif()
target_link_options(polynats PRIVATE -Wl,--version-script=${VERSION_SCRIPT})
set_target_properties(polynats PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${POLYNATS_ABI}
                      LINK_DEPENDS ${VERSION_SCRIPT})
set_target_properties(polynats_static PROPERTIES OUTPUT_NAME polynats)
foreach(library polynats polynats_static)
  target_include_directories(${library} PUBLIC $<BUILD_INTERFACE:${LIBNATS}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_libraries(polynats PRIVATE PkgConfig::JSONC Threads::Threads)
target_link_libraries(polynats_static PUBLIC Threads::Threads json-c)

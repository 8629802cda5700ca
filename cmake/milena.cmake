# Build options shared by every room, and the functions that the rooms' CMakeLists.txt are written with:
#   milena_library(ROOM SOURCES... )        the room's static library
#   milena_test(NAME SOURCES... LINK ...)   a GoogleTest binary, registered with ctest
#   milena_allocation_test(...)             the same, where operator new can be replaced
#   milena_fuzz(NAME SOURCE LINK ...)       a libFuzzer binary (fuzz preset) or a corpus replay (every other preset)

option(MILENA_TESTS "the tests, the measurements and the tools beside the broker" ON)
option(MILENA_FUZZ "build libFuzzer targets instead of corpus replays" OFF)
set(MILENA_MUTANT "" CACHE STRING "a planted bug, empty for none; only tools/run_mutants.py wants one")
set(MILENA_SANITIZE "" CACHE STRING "value for -fsanitize=, empty for none")

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Or it would not look at what is compiled with a precompiled header.
  set(sloppiness pch_defines,time_macros,include_file_mtime,include_file_ctime)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=${sloppiness} ${CCACHE})
endif()

# What most files include, compiled once (the room's target_precompile_headers). Never a header of ours: each change of
# one would compile everything anew.
set(MILENA_PRECOMPILED
  <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <cstring> <deque> <expected> <functional> <map> <memory>
  <optional> <set> <span> <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector>
  <boost/unordered/unordered_flat_map.hpp> <boost/unordered/unordered_flat_set.hpp> <fmt/format.h> <fmt/ranges.h>)

add_library(milena_flags INTERFACE)
target_compile_options(milena_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Wthread-safety -Werror
  -fno-omit-frame-pointer
  "SHELL:-Xclang -fno-pch-timestamp")  # the same bytes from the same headers, for ccache
target_compile_definitions(milena_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_include_directories(milena_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/gen)
target_link_options(milena_flags INTERFACE -fuse-ld=lld -Wl,--gc-sections)
if(MILENA_SANITIZE)
  target_compile_options(milena_flags INTERFACE -fsanitize=${MILENA_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(milena_flags INTERFACE -fsanitize=${MILENA_SANITIZE})
endif()
if(MILENA_FUZZ)
  target_compile_options(milena_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
if(MILENA_TESTS)
  find_package(GTest REQUIRED)
endif()

# The sources that contain the planted bug MILENA_MUTANT are compiled with it; see base/mutant.h.
function(milena_plant_mutant)
  foreach(source ${ARGN})
    if(IS_ABSOLUTE ${source})  # generated
      continue()
    endif()
    file(STRINGS ${source} planted REGEX "is_mutant\\(\"${MILENA_MUTANT}\"\\)")
    if(planted)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS MILENA_MUTANT="${MILENA_MUTANT}")
    endif()
  endforeach()
endfunction()

function(milena_library name)
  add_library(milena_${name} STATIC ${ARGN})
  if(MILENA_MUTANT)
    milena_plant_mutant(${ARGN})
  endif()
  target_link_libraries(milena_${name} PUBLIC milena_flags)
endfunction()

function(milena_test name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main Threads::Threads)
  if(name STREQUAL "base_test")  # the first of them
    target_precompile_headers(${name} PRIVATE ${MILENA_PRECOMPILED} <gtest/gtest.h>)
  else()
    target_precompile_headers(${name} REUSE_FROM base_test)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} TIMEOUT 600)
endfunction()

# A test that counts allocations with an operator new of its own, as the sanitizers have one too.
function(milena_allocation_test)
  if(NOT MILENA_SANITIZE)
    milena_test(${ARGN})
  endif()
endfunction()

# A fuzz target defines LLVMFuzzerTestOneInput. Its committed seed corpus lives in a folder `corpus/NAME`
# beside the source; without libFuzzer the same source replays that corpus as an ordinary test.
add_custom_target(fuzzers)  # all of them
function(milena_fuzz name source)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  if(MILENA_FUZZ)
    add_executable(${name} ${source})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${source} ${CMAKE_SOURCE_DIR}/base/fuzz_replay.cc)
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  add_dependencies(fuzzers ${name})
  if(NOT MILENA_FUZZ)
    add_test(NAME ${name} COMMAND ${name} ${corpus})
    set_tests_properties(${name} PROPERTIES WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} TIMEOUT 600)
  endif()
endfunction()

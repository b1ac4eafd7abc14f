# What a test needs in its environment: the sanitizers' options, and what is known of libraries we do not build.
set(QUESTLOG_TEST_ENVIRONMENT
  "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
  "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp:halt_on_error=1")
set(QUESTLOG_TEST_TIMEOUT_S 300)
if(QUESTLOG_SANITIZE)
  set(QUESTLOG_TEST_TIMEOUT_S 1200)
endif()

function(questlog_add_test name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${QUESTLOG_TEST_TIMEOUT_S}
    ENVIRONMENT "${QUESTLOG_TEST_ENVIRONMENT}")
endfunction()

# questlog_test(NAME SOURCES source... LIBRARIES target...): one GoogleTest program, run by ctest as NAME.
function(questlog_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${ARG_LIBRARIES} GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name}_test PRIVATE QUESTLOG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  questlog_add_test(${name} ${name}_test)
endfunction()

# questlog_library(NAME [MAIN source] [DEPENDS folder...] [LIBRARIES target...]): the static library of one folder under
# src/, made of every *.cpp there but MAIN, and but tests, benchmarks and fuzz targets, which become programs beside it:
# NAME_test, and each *_bench.cpp and *_fuzz.cpp by its own name.
function(questlog_library name)
  cmake_parse_arguments(ARG "" "MAIN" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cpp)
  file(GLOB fuzzers CONFIGURE_DEPENDS *_fuzz.cpp)
  file(GLOB benches CONFIGURE_DEPENDS *_bench.cpp)
  list(REMOVE_ITEM sources ${tests} ${fuzzers} ${benches} ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_MAIN})

  add_library(questlog_${name} STATIC ${sources})
  target_include_directories(questlog_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_DEPENDS PREPEND questlog_)
  target_link_libraries(questlog_${name} PUBLIC questlog_options ${ARG_DEPENDS} PRIVATE ${ARG_LIBRARIES})

  if(QUESTLOG_TESTS AND tests)
    questlog_test(${name} SOURCES ${tests} LIBRARIES questlog_${name} ${ARG_LIBRARIES})
  endif()

  if(QUESTLOG_TESTS)
    foreach(fuzzer ${fuzzers})
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE questlog_${name} ${ARG_LIBRARIES})
      set_property(GLOBAL APPEND PROPERTY QUESTLOG_FUZZERS ${target})
      if(QUESTLOG_FUZZ)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      else()
        target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz_replay.cpp)
        questlog_add_test(${target} ${target} ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${target})
      endif()
    endforeach()
  endif()

  if(QUESTLOG_BENCH)
    if(NOT TARGET benches)
      add_custom_target(benches)
    endif()
    foreach(bench ${benches})
      get_filename_component(target ${bench} NAME_WE)
      add_executable(${target} ${bench})
      target_link_libraries(${target} PRIVATE questlog_${name} ${ARG_LIBRARIES}
                            benchmark::benchmark benchmark::benchmark_main)
      add_dependencies(benches ${target})
    endforeach()
  endif()
endfunction()

# Debian 12's packages, DuckDB from DUCKDB_DIR, and librdkafka from RDKAFKA_DIR. `scripts/setup --build` installs all of
# them.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(zstd REQUIRED)
find_library(LZ4_LIBRARY lz4 REQUIRED) # Debian's package brings no CMake file
if(QUESTLOG_TESTS)
  find_package(GTest REQUIRED)
endif()
if(QUESTLOG_BENCH)
  find_package(benchmark REQUIRED)
endif()

# Two layouts: ours (include/ and lib/), and DuckDB's own libduckdb archive, where both files lie side by side.
set(DUCKDB_DIR "${PROJECT_SOURCE_DIR}/.deps/duckdb" CACHE PATH "Folder with duckdb.h and libduckdb.so")
find_path(DUCKDB_INCLUDE_DIR duckdb.h PATHS ${DUCKDB_DIR} PATH_SUFFIXES include . NO_DEFAULT_PATH)
find_library(DUCKDB_LIBRARY duckdb PATHS ${DUCKDB_DIR} PATH_SUFFIXES lib . NO_DEFAULT_PATH)
if(NOT DUCKDB_INCLUDE_DIR OR NOT DUCKDB_LIBRARY)
  message(FATAL_ERROR "No duckdb.h or libduckdb.so in ${DUCKDB_DIR}. Run scripts/setup --build, which puts the pinned "
                      "DuckDB there, or name the folder of your own with -DDUCKDB_DIR=…")
endif()
add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${DUCKDB_LIBRARY}
  IMPORTED_NO_SONAME ON
  INTERFACE_INCLUDE_DIRECTORIES ${DUCKDB_INCLUDE_DIR}
  INTERFACE_COMPILE_DEFINITIONS DUCKDB_API_ALLOW_DEPRECATED=0)

set(RDKAFKA_DIR "${PROJECT_SOURCE_DIR}/.deps/librdkafka" CACHE PATH "Folder with include/ and lib/ of librdkafka")
find_path(RDKAFKA_INCLUDE_DIR librdkafka/rdkafka.h PATHS ${RDKAFKA_DIR}/include NO_DEFAULT_PATH)
find_file(RDKAFKA_SHARED_LIBRARY librdkafka.so.1 PATHS ${RDKAFKA_DIR}/lib ${RDKAFKA_DIR}/lib/${CMAKE_LIBRARY_ARCHITECTURE} NO_DEFAULT_PATH)
if(NOT RDKAFKA_INCLUDE_DIR OR NOT RDKAFKA_SHARED_LIBRARY)
  message(FATAL_ERROR "No librdkafka in ${RDKAFKA_DIR}. Run scripts/setup --build, which compiles the pinned one there, or "
                      "name the folder of your own, of version 2.3 or newer, with -DRDKAFKA_DIR=…")
endif()
add_library(rdkafka SHARED IMPORTED)
set_target_properties(rdkafka PROPERTIES
  IMPORTED_LOCATION ${RDKAFKA_SHARED_LIBRARY}
  IMPORTED_SONAME librdkafka.so.1
  INTERFACE_INCLUDE_DIRECTORIES ${RDKAFKA_INCLUDE_DIR})

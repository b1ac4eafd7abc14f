# questlog_options: the compiler and linker options of every target.
include(CheckCXXCompilerFlag)

# Of files that are compiled together (docs/decisions/0021-unity-builds.md) one's constants hide nothing of another's.
set(QUESTLOG_WSHADOW -Wshadow)
if(CMAKE_UNITY_BUILD)
  set(QUESTLOG_WSHADOW $<IF:$<CXX_COMPILER_ID:GNU>,-Wshadow=local,-Wno-shadow>)
endif()

add_library(questlog_options INTERFACE)
target_link_libraries(questlog_options INTERFACE fmt::fmt Threads::Threads)
target_compile_options(questlog_options INTERFACE
  -Wall -Wextra -Wpedantic ${QUESTLOG_WSHADOW} -Wconversion -Werror=return-type
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> # GCC 12 sees overlaps in "literal" + std::string that are not there (PR 105651)
  # Compiled several at a time, a file's own types are in a file that includes it: GCC takes that for a header.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion> # which GCC's -Wconversion leaves out, too
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= # the same bytes, and the same ccache entries, in every checkout
  -fstack-protector-strong)
target_link_options(questlog_options INTERFACE -Wl,--as-needed -Wl,-z,relro -Wl,-z,now)
if(QUESTLOG_WERROR)
  target_compile_options(questlog_options INTERFACE -Werror)
endif()

find_program(MOLD mold)
if(MOLD)
  target_link_options(questlog_options INTERFACE -fuse-ld=mold)
endif()

# No -march=native: a package runs on any x86-64. What gains from wider instructions (simdjson, CRC-32C) looks at run
# time. Release keeps the program's own checks; tests add libstdc++'s.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -D_FORTIFY_SOURCE=2")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g -D_GLIBCXX_ASSERTIONS")

if(QUESTLOG_SANITIZE)
  target_compile_options(questlog_options INTERFACE -fsanitize=${QUESTLOG_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(questlog_options INTERFACE -fsanitize=${QUESTLOG_SANITIZE})
  if(QUESTLOG_SANITIZE MATCHES "undefined")
    target_compile_options(questlog_options INTERFACE -fno-sanitize-recover=undefined)
  endif()
endif()
if(QUESTLOG_FUZZ)
  target_compile_options(questlog_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

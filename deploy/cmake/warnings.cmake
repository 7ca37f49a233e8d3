# What every target of ours is compiled with.
add_library(gatehouse_options INTERFACE)
target_compile_options(gatehouse_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  # GCC 12 reports coroutine frames that it cannot follow: as uninitialised (PR 105562 and others), and, with optimisation, as allocated
  # and freed by functions that do not match although the promise declares both (PR 109867).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-mismatched-new-delete>
  -fno-omit-frame-pointer -fstack-protector-strong)
target_compile_definitions(gatehouse_options INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)

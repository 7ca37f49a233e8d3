# What every target of ours is compiled with.
add_library(gatehouse_options INTERFACE)
target_compile_options(gatehouse_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>  # GCC reports coroutine frames it cannot follow (PR 105562 and others)
  -fno-omit-frame-pointer -fstack-protector-strong)
target_compile_definitions(gatehouse_options INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)

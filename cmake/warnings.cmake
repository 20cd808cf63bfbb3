# The warnings that every target of the project is built with; consumers do not inherit them.
add_library(hawser_warnings INTERFACE)
target_compile_options(hawser_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

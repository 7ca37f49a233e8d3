# Writes the files of the status page as C++ string literals: cmake -DOUTPUT=FILE -DFOLDER=FOLDER -P embed.cmake
set(text "// Made by embed.cmake from the files beside it.\n#include \"admin/status_page.hpp\"\n\nnamespace gatehouse::admin {\n\n")
foreach(part html css js)
  file(READ "${FOLDER}/status_page.${part}" content)
  string(APPEND text "const std::string_view kStatus_${part} = R\"embedded(${content})embedded\";\n")
endforeach()
string(APPEND text "\n}  // namespace gatehouse::admin\n")
file(WRITE "${OUTPUT}" "${text}")

# Turns the files of a folder into one C file: cmake -DFOLDER=… -DOUT=files.c -P embed.cmake
# The result defines inspector_files[] (gateway/inspector.h). Bytes go through hexadecimal because no other form that CMake
# reads keeps NUL and every other byte as it is.
set(rows "")
set(blocks "")
set(number 0)
file(GLOB files ${FOLDER}/*)
foreach(file IN LISTS files)
    file(READ "${file}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REPLACE "0x0a," "0x0a,\n" bytes "${bytes}") # a line for a line
    get_filename_component(name "${file}" NAME)
    string(APPEND blocks "static const unsigned char file_${number}[] = {\n${bytes}\n};\n")
    string(APPEND rows "    {\"${name}\", file_${number}, sizeof(file_${number})},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUT}" "/* Made by cmake/embed.cmake. */\n#include \"gateway/inspector.h\"\n\n${blocks}
const struct inspector_file inspector_files[] = {\n${rows}    {NULL, NULL, 0}};\n")

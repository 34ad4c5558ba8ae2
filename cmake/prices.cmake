# The price list is data with a date, and the program carries it: a report needs no file beside the binary.
set(NE_PRICES_FILE config/prices-2026-10.json)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${NE_PRICES_FILE})
file(READ ${NE_PRICES_FILE} NE_PRICES_TEXT)
string(REPLACE "\\" "\\\\" NE_PRICES_TEXT "${NE_PRICES_TEXT}")
string(REPLACE "\"" "\\\"" NE_PRICES_TEXT "${NE_PRICES_TEXT}")
string(REPLACE "\n" "\\n" NE_PRICES_TEXT "${NE_PRICES_TEXT}")
configure_file(cmake/prices.c.in ${CMAKE_BINARY_DIR}/prices.c @ONLY)
target_sources(ne_limiter PRIVATE ${CMAKE_BINARY_DIR}/prices.c)

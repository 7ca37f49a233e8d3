// What can still be told about a request whose head was refused. Pure function on bytes.
#pragma once

#include <gatehouse/message.hpp>

#include <string_view>

namespace gatehouse::http {

// Puts the Origin field of a head, as far as the head came, into `headers`, where there is exactly one and it is not
// there yet: the page that sent it may then be let read why it was refused. Nothing else of such a head is believed.
void keep_origin(std::string_view bytes, Headers& headers);

}  // namespace gatehouse::http

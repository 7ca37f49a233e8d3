// The table of keys for other programs and for people: JSON Schema and the reference page.
#pragma once

#include <gatehouse/options.hpp>

#include <span>
#include <string>

namespace gatehouse {

// JSON Schema, draft 2020-12. What the loader accepts it accepts; what the loader rejects for its shape it rejects.
std::string json_schema(std::span<const Section> sections);
// Every key with its type, default and meaning, as Markdown.
std::string reference_page(std::span<const Section> sections);

}  // namespace gatehouse

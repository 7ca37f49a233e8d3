// What GET and POST /switch answer, as a person wants to read it.
#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace gatehouse {

// Lines, each with its end. What is missing in the page is missing in the text.
std::string switch_report_text(const boost::json::object& report);
std::string switch_state_text(const boost::json::object& state);

}  // namespace gatehouse

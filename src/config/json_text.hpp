// JSON for people to read: indented, keys in the order they are added.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse {

// A JSON value as text.
std::string json_string(std::string_view text);
std::string json_array(const std::vector<std::string>& items);

// An object that is being built; the values are JSON already.
class JsonObject {
 public:
  JsonObject& add(std::string_view name, std::string value) {
    members_.emplace_back(name, std::move(value));
    return *this;
  }
  JsonObject& add_text(std::string_view name, std::string_view text) { return add(name, json_string(text)); }
  bool empty() const noexcept { return members_.empty(); }
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

}  // namespace gatehouse

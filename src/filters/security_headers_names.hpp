// A fixed set of field names, each with a number, asked once for every field of every response: a look-up is a hash of
// four bytes and, nearly always, one comparison. Filled while a configuration is loaded, read only afterwards.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

class FieldNameTable {
 public:
  static constexpr std::uint8_t kAbsent = 0xff;

  FieldNameTable();
  // Gives `name`, in any case, a number below kAbsent; what it had before is replaced.
  void put(std::string_view name, std::uint8_t number);
  // The number of `name` in any case, or kAbsent.
  std::uint8_t find(std::string_view name) const noexcept;

 private:
  struct Slot {
    std::string name;  // in small letters; empty: free
    std::uint8_t number = kAbsent;
  };
  void grow();
  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t used_ = 0;
};

// The response fields that tell what an app is made of: OWASP Secure Headers Project, "Prevent information disclosure
// via HTTP headers" (ci/headers_remove.json), and the right spelling of one name that the list has wrong.
std::span<const std::string_view> fingerprint_names() noexcept;

}  // namespace gatehouse

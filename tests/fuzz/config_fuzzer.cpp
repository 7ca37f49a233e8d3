// The loader never crashes; what loads can be printed and loaded again; messages are one valid line each.
#include "config/load.hpp"
#include "config/print.hpp"
#include "config/source_text.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name.size() > 3) return std::nullopt;
    return name;
  };
  environment.accept_redacted = true;
  LoadResult loaded = load_config(text, "fuzz.yaml", {}, environment);
  for (const Mistake& mistake : loaded.mistakes()) {
    const std::string line = to_string(mistake);
    if (!is_utf8(line) || line.find('\n') != std::string::npos || line.size() > 1000) std::abort();
  }
  if (!loaded) return 0;
  const std::string printed = print_config(*loaded);
  LoadResult again = load_config(printed, "fuzz.yaml", {}, environment);
  if (!again || print_config(*again) != printed) std::abort();
  return 0;
}

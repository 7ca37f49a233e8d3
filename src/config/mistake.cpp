#include "config/mistake.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

constexpr std::size_t kListed = 100;

// Keys and messages of variables come from the file: quoted ones may hold line breaks and terminal escapes.
std::string on_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return text;
}

}  // namespace

std::string to_string(const Mistake& mistake) {
  std::string text = mistake.file;
  if (mistake.at.line > 0) text += ":" + std::to_string(mistake.at.line) + ":" + std::to_string(mistake.at.column);
  if (!mistake.key.empty()) text += ": " + mistake.key;
  return text + ": " + mistake.sentence;
}

void Mistakes::add(Position at, std::string key, std::string sentence) {
  if (++count_ <= kListed) list_.push_back({file_, at, on_one_line(std::move(key)), on_one_line(std::move(sentence))});
}

std::vector<Mistake> Mistakes::sorted() const {
  std::vector<Mistake> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Mistake& a, const Mistake& b) { return a.at < b.at; });
  if (count_ > kListed)
    sorted.push_back({file_, {}, {}, std::to_string(count_ - kListed) + " more mistakes are not listed"});
  return sorted;
}

}  // namespace gatehouse

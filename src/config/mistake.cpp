#include "config/mistake.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

constexpr std::size_t kListed = 100;

}  // namespace

std::string to_string(const Mistake& mistake) {
  std::string text = mistake.file;
  if (mistake.at.line > 0) text += ":" + std::to_string(mistake.at.line) + ":" + std::to_string(mistake.at.column);
  if (!mistake.key.empty()) text += ": " + mistake.key;
  return text + ": " + mistake.sentence;
}

void Mistakes::add(Position at, std::string key, std::string sentence) {
  if (++count_ <= kListed) list_.push_back({file_, at, std::move(key), std::move(sentence)});
}

std::vector<Mistake> Mistakes::sorted() const {
  std::vector<Mistake> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Mistake& a, const Mistake& b) { return a.at < b.at; });
  if (count_ > kListed)
    sorted.push_back({file_, {}, {}, std::to_string(count_ - kListed) + " more mistakes are not listed"});
  return sorted;
}

}  // namespace gatehouse

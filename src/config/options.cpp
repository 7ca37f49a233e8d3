#include "config/setting_value.hpp"

#include <gatehouse/options.hpp>

#include <stdexcept>

namespace gatehouse {

const SettingValue* SettingValue::child(std::string_view name) const noexcept {
  for (const SettingValue& item : items)
    if (item.spec->name == name) return &item;
  return nullptr;
}

OptionsReader::OptionsReader(const SettingValue& values, const SettingValue* below, std::string section,
                             Mistakes& mistakes)
    : values_(&values), below_(below), section_(std::move(section)), mistakes_(&mistakes) {}

const SettingValue& OptionsReader::value(std::string_view key, KeyType type) const {
  const SettingValue* found = values_->child(key);
  if (found == nullptr || found->spec->type != type)
    throw std::logic_error(section_ + " declares no key \"" + std::string(key) + "\" of the type that is asked for");
  if (found->is_given() || below_ == nullptr) return *found;
  return *below_->child(key);
}

bool OptionsReader::has(std::string_view key) const {
  const SettingValue* found = values_->child(key);
  if (found == nullptr) throw std::logic_error(section_ + " declares no key \"" + std::string(key) + "\"");
  const auto is_there = [](const SettingValue& value) {
    const bool is_list = value.spec->type == KeyType::kTexts || value.spec->type == KeyType::kMaps;
    return is_list ? !value.items.empty() : value.is_there();
  };
  return is_there(*found) || (below_ != nullptr && is_there(*below_->child(key)));
}

const std::string& OptionsReader::text(std::string_view key) const { return value(key, KeyType::kText).text; }

Secret OptionsReader::secret(std::string_view key) const { return Secret(value(key, KeyType::kText).text); }

std::string OptionsReader::file(std::string_view key) const { return value(key, KeyType::kText).path; }

bool OptionsReader::boolean(std::string_view key) const { return value(key, KeyType::kBoolean).amount != 0; }

std::int64_t OptionsReader::integer(std::string_view key) const { return value(key, KeyType::kInteger).amount; }

double OptionsReader::number(std::string_view key) const { return value(key, KeyType::kNumber).number; }

std::chrono::milliseconds OptionsReader::duration(std::string_view key) const {
  return std::chrono::milliseconds(value(key, KeyType::kDuration).amount);
}

Bytes OptionsReader::bytes(std::string_view key) const {
  return static_cast<Bytes>(value(key, KeyType::kBytes).amount);
}

std::size_t OptionsReader::choice_index(std::string_view key) const {
  return static_cast<std::size_t>(value(key, KeyType::kChoice).amount);
}

const std::string& OptionsReader::choice_text(std::string_view key) const { return value(key, KeyType::kChoice).text; }

std::vector<std::string> OptionsReader::texts(std::string_view key) const {
  std::vector<std::string> texts;
  for (const SettingValue& item : value(key, KeyType::kTexts).items) texts.push_back(item.text);
  return texts;
}

OptionsReader OptionsReader::map(std::string_view key) const {
  const SettingValue& found = value(key, KeyType::kMap);
  const SettingValue* below = below_ == nullptr ? nullptr : below_->child(key);
  const std::string name = section_.empty() ? std::string(key) : section_ + "." + std::string(key);
  return {found, below == &found ? nullptr : below, name, *mistakes_};
}

std::vector<OptionsReader> OptionsReader::maps(std::string_view key) const {
  const std::string name = section_.empty() ? std::string(key) : section_ + "." + std::string(key);
  std::vector<OptionsReader> readers;
  for (const SettingValue& item : value(key, KeyType::kMaps).items)
    readers.emplace_back(item, nullptr, name + "[" + std::to_string(readers.size()) + "]", *mistakes_);
  return readers;
}

bool OptionsReader::has_mistake(std::string_view key) const {
  const SettingValue* found = values_->child(key);
  return found == nullptr || found->broken;
}

void OptionsReader::mistake(std::string_view key, std::string sentence) {
  const SettingValue* found = values_->child(key);
  if (found != nullptr && !found->is_given() && below_ != nullptr) found = below_->child(key);
  const std::string name = section_.empty() ? std::string(key) : section_ + "." + std::string(key);
  mistakes_->add(found == nullptr ? values_->at : found->at, name, std::move(sentence));
}

void OptionsReader::mistake(std::string_view key, std::size_t item, std::string sentence) {
  const SettingValue* found = values_->child(key);
  const std::string name =
      (section_.empty() ? "" : section_ + ".") + std::string(key) + "[" + std::to_string(item) + "]";
  const bool is_there = found != nullptr && item < found->items.size();
  mistakes_->add(is_there ? found->items[item].at : values_->at, name, std::move(sentence));
}

void OptionsReader::mistake(std::string sentence) { mistakes_->add(values_->at, section_, std::move(sentence)); }

}  // namespace gatehouse

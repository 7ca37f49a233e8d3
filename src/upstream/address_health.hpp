// What the checks last said of an address of the app, for those who choose between addresses. The check writes, all workers read.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

namespace gatehouse::upstream {

struct AddressHealth {
  std::atomic<bool> healthy{true};  // also before the first answer
};

// One verdict for each address, whoever asks for it. Main thread.
class AddressHealths {
 public:
  // Lives as long as somebody holds it.
  std::shared_ptr<AddressHealth> of(const std::string& address) {
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    std::shared_ptr<AddressHealth> health = known_[address].lock();
    if (!health) known_[address] = health = std::make_shared<AddressHealth>();
    return health;
  }
  // Null: nobody holds it.
  std::shared_ptr<const AddressHealth> find(const std::string& address) const {
    const auto found = known_.find(address);
    return found == known_.end() ? nullptr : found->second.lock();
  }

 private:
  std::map<std::string, std::weak_ptr<AddressHealth>> known_;
};

}  // namespace gatehouse::upstream

#include "health/libpq.hpp"

#include <dlfcn.h>

namespace gatehouse::health {
namespace {

template <class Function>
bool find(void* library, const char* name, Function& function) noexcept {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

const Libpq* open() noexcept {
  static Libpq functions;
  void* const library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  const bool whole =
      find(library, "PQclear", functions.clear) && find(library, "PQconndefaults", functions.conndefaults) &&
      find(library, "PQconnectPoll", functions.connectPoll) &&
      find(library, "PQconnectStartParams", functions.connectStartParams) &&
      find(library, "PQconnectionNeedsPassword", functions.connectionNeedsPassword) &&
      find(library, "PQconninfoFree", functions.conninfoFree) &&
      find(library, "PQconsumeInput", functions.consumeInput) &&
      find(library, "PQerrorMessage", functions.errorMessage) && find(library, "PQfinish", functions.finish) &&
      find(library, "PQflush", functions.flush) && find(library, "PQgetResult", functions.getResult) &&
      find(library, "PQisBusy", functions.isBusy) && find(library, "PQresultErrorField", functions.resultErrorField) &&
      find(library, "PQresultStatus", functions.resultStatus) && find(library, "PQsendQuery", functions.sendQuery) &&
      find(library, "PQsetErrorVerbosity", functions.setErrorVerbosity) &&
      find(library, "PQsetnonblocking", functions.setnonblocking) && find(library, "PQsocket", functions.socket) &&
      find(library, "PQstatus", functions.status);
  return whole ? &functions : nullptr;
}

}  // namespace

const Libpq* libpq() noexcept {
  static const Libpq* const opened = open();
  return opened;
}

}  // namespace gatehouse::health

#include "filters/chain.hpp"

namespace gatehouse {

Chain::Chain(std::vector<std::unique_ptr<Filter>> filters, Terminal& terminal) : terminal_(terminal) {
  for (auto& filter : filters) {
    const auto* header_filter = dynamic_cast<const HeaderFilter*>(filter.get());
    links_.push_back({std::move(filter), header_filter});
  }
}

// One coroutine for a whole run of header filters: they need no frame of their own.
awaitable<Response> Chain::run_from(std::size_t index, Exchange& exchange) const {
  std::size_t at = index;
  std::optional<Response> response;
  while (at < links_.size() && links_[at].header_filter != nullptr) {
    response = links_[at].header_filter->on_request(exchange);
    if (response) break;
    ++at;
  }
  if (!response) {
    if (at < links_.size())
      response = co_await links_[at].filter->handle(exchange, Next(*this, at + 1));
    else
      response = co_await terminal_.handle(exchange);
  }
  while (at > index) links_[--at].header_filter->on_response(exchange, *response);
  co_return *response;
}

awaitable<Response> Next::operator()(Exchange& exchange) const { return chain_->run_from(index_, exchange); }

awaitable<Response> HeaderFilter::handle(Exchange& exchange, Next next) const {
  std::optional<Response> response = on_request(exchange);
  if (response) co_return *response;
  response = co_await next(exchange);
  on_response(exchange, *response);
  co_return *response;
}

}  // namespace gatehouse

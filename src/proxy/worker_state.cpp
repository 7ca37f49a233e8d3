#include "proxy/worker_state.hpp"

#include "net/poller.hpp"
#include "proxy/session.hpp"
#include "proxy/tunnel.hpp"

namespace gatehouse::proxy {
namespace {

constexpr std::size_t kSpareScratch = 512;

awaitable<void> run_session(WorkerState& worker, std::shared_ptr<const ListenerState> listener, int socket, Session::Peer peer) {
  Session session(worker, std::move(listener), socket, peer);
  co_await session.run();
}

}  // namespace

WorkerState::WorkerState(SharedState& shared_state)
    : shared(shared_state), tasks(io, [this](const std::string& what) {
        if (on_warning) on_warning("a connection was dropped after an internal error: " + what);
      }) {
  // Now, while there is a descriptor for it.
  net::Poller::of(io);
}

WorkerState::~WorkerState() = default;

void WorkerState::serve(std::shared_ptr<const ListenerState> listener, int socket, const net::Endpoint& peer) {
  tasks.spawn(run_session(*this, std::move(listener), socket, Session::Peer(peer)));
}

void WorkerState::close_idle_sessions() {
  leaving = true;
  for (Session* session = sessions_; session != nullptr; session = session->next_) {
    // Where something has come already, it may be a request.
    if (session->idle_ && session->stream_.quiet()) session->stream_.cancel();
    // Its request may be on the way.
    if (session->unused_) session->stream_.set_deadline(net::Clock::now() + kDrainPatience);
    if (session->current_ != nullptr && session->current_->tunnel != nullptr) session->current_->tunnel->leave();
  }
}

void WorkerState::cancel_sessions() {
  for (Session* session = sessions_; session != nullptr; session = session->next_) {
    session->stream_.cancel();
    if (session->current_ != nullptr && session->current_->connection) session->current_->connection->stream.cancel();
  }
}

std::unique_ptr<Scratch> WorkerState::borrow_scratch() {
  if (spare_scratch_.empty()) return std::make_unique<Scratch>();
  auto scratch = std::move(spare_scratch_.back());
  spare_scratch_.pop_back();
  return scratch;
}

void WorkerState::give_back(std::unique_ptr<Scratch> scratch) {
  scratch->exchange.reset();
  scratch->arena.clear();
  if (spare_scratch_.size() < kSpareScratch) spare_scratch_.push_back(std::move(scratch));
}

}  // namespace gatehouse::proxy

// A stream of client bytes, as the app would get it: read by another parser, llhttp with nothing switched off, it must
// be the same requests with the same bodies, and not one more.
#include "fuzzing.hpp"
#include "support/request_stream.hpp"

#include <llhttp.h>

namespace {

using namespace gatehouse;
using namespace gatehouse::http;

struct Seen {
  std::string target;
  std::string body;
  bool complete = false;
};

using SeenList = std::vector<Seen>;

SeenList& seen(llhttp_t* parser) { return *static_cast<SeenList*>(parser->data); }

SeenList read_by_llhttp(const std::string& bytes) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_message_begin = [](llhttp_t* parser) {
    seen(parser).emplace_back();
    return 0;
  };
  settings.on_url = [](llhttp_t* parser, const char* at, std::size_t size) {
    seen(parser).back().target.append(at, size);
    return 0;
  };
  settings.on_body = [](llhttp_t* parser, const char* at, std::size_t size) {
    seen(parser).back().body.append(at, size);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t* parser) {
    seen(parser).back().complete = true;
    return 0;
  };
  SeenList list;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &list;
  const auto error = llhttp_execute(&parser, bytes.data(), bytes.size());
  // After a request to upgrade it leaves the rest to others, which is what happens there as well.
  require(error == HPE_OK || error == HPE_PAUSED_UPGRADE, "the other parser finds no fault");
  return list;
}

std::string_view method_of(const WireRequest& request) {
  return std::string_view(request.head).substr(0, request.head.find(' '));
}

// llhttp knows a list of methods; the others are for apps that know more.
std::string as_llhttp_knows_it(const WireRequest& request) {
  const auto method = method_of(request);
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
    if (method == known) return request.bytes();
  return "POST" + request.bytes().substr(method.size());
}

void require_same(const SeenList& list, const std::vector<const WireRequest*>& requests) {
  require(list.size() == requests.size(), "there are as many requests");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto rest = std::string_view(requests[i]->head).substr(method_of(*requests[i]).size() + 1);
    require(list[i].complete, "each is complete");
    require(list[i].target == rest.substr(0, rest.find(' ')), "each has its target");
    require(list[i].body == requests[i]->body, "each has its body");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RequestRules rules;
  rules.limits = {500, 2000, 30};
  rules.target.dot_segments = DotPolicy::kNormalise;
  const StreamReading reading = read_stream(bytes, std::max<std::size_t>(size, 1), rules);
  const StreamReading slow = read_stream(bytes, 1, rules);
  require(reading.requests == slow.requests && reading.error == slow.error && reading.closes == slow.closes &&
              reading.unfinished == slow.unfinished,
          "whole and byte by byte are the same");
  // All of them on one connection, as a pooled one carries them; an upgrade ends that for llhttp and has one of its
  // own.
  std::string connection;
  std::vector<const WireRequest*> carried;
  for (const WireRequest& request : reading.requests) {
    if (request.head.find("\r\nupgrade: ") != std::string::npos) {
      require_same(read_by_llhttp(as_llhttp_knows_it(request)), {&request});
      continue;
    }
    connection += as_llhttp_knows_it(request);
    carried.push_back(&request);
  }
  require_same(read_by_llhttp(connection), carried);
  return 0;
}

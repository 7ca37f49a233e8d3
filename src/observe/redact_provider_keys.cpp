#include "observe/redact_provider_keys.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace gatehouse {
namespace {

enum class Body : std::uint8_t { kAlnum, kMixed, kToken, kHex, kUpper, kDotted };

constexpr bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

constexpr bool is_body(Body body, char c) noexcept {
  switch (body) {
    case Body::kAlnum:
    case Body::kMixed:  // with capitals among them
      return is_alnum(c);
    case Body::kToken:
      return is_token_char(c);
    case Body::kHex:
      return is_hex(c);
    case Body::kUpper:
      return is_upper(c) || is_digit(c);
    case Body::kDotted:
      return is_token_char(c) || c == '.' || c == '=' || c == '+' || c == '/';
  }
  return false;
}

// A key that starts with `prefix` and goes on for `least` to `most` characters of its body.
struct Prefix {
  std::string_view text;
  Body body;
  std::uint16_t least;
  std::uint16_t most;
};
constexpr std::uint16_t kMany = 2000;

// Published by the providers themselves, or by their secret-scanning partners' pages.
constexpr Prefix kPrefixes[] = {{"AKIA", Body::kUpper, 16, 16},
                                {"ASIA", Body::kUpper, 16, 16},
                                {"ABIA", Body::kUpper, 16, 16},
                                {"ACCA", Body::kUpper, 16, 16},
                                {"A3T", Body::kUpper, 17, 17},
                                {"ghp_", Body::kAlnum, 36, 255},
                                {"gho_", Body::kAlnum, 36, 255},
                                {"ghu_", Body::kAlnum, 36, 255},
                                {"ghs_", Body::kAlnum, 36, 255},
                                {"ghr_", Body::kAlnum, 36, 255},
                                {"github_pat_", Body::kToken, 36, 255},
                                {"glpat-", Body::kDotted, 20, 300},
                                {"gldt-", Body::kToken, 20, 64},
                                {"glrt-", Body::kDotted, 20, 64},
                                {"glptt-", Body::kHex, 40, 40},
                                {"glcbt-", Body::kToken, 20, 80},
                                {"gloas-", Body::kHex, 64, 64},
                                {"glsoat-", Body::kToken, 20, 64},
                                {"glft-", Body::kToken, 20, 64},
                                {"glagent-", Body::kToken, 50, 64},
                                {"glimt-", Body::kToken, 25, 25},
                                {"glffct-", Body::kToken, 20, 64},
                                {"GR1348941", Body::kToken, 20, 64},
                                {"xoxb-", Body::kToken, 20, 255},
                                {"xoxp-", Body::kToken, 20, 255},
                                {"xoxa-", Body::kToken, 20, 255},
                                {"xoxs-", Body::kToken, 20, 255},
                                {"xoxr-", Body::kToken, 20, 255},
                                {"xoxo-", Body::kToken, 20, 255},
                                {"xoxe-", Body::kToken, 20, 255},
                                {"xoxc-", Body::kToken, 20, 255},
                                {"xoxd-", Body::kToken, 20, 400},
                                {"xapp-", Body::kToken, 20, 255},
                                {"xoxe.", Body::kToken, 20, 400},
                                {"sk_live_", Body::kAlnum, 10, 255},
                                {"rk_live_", Body::kAlnum, 10, 255},
                                {"sk_test_", Body::kAlnum, 10, 255},
                                {"rk_test_", Body::kAlnum, 10, 255},
                                {"sk_prod_", Body::kAlnum, 10, 255},
                                {"rk_prod_", Body::kAlnum, 10, 255},
                                {"whsec_", Body::kDotted, 24, 255},
                                {"AIza", Body::kToken, 35, 35},
                                {"GOCSPX-", Body::kToken, 20, 64},
                                {"sk-proj-", Body::kToken, 20, 255},
                                {"sk-svcacct-", Body::kToken, 20, 255},
                                {"sk-admin-", Body::kToken, 20, 255},
                                {"sk-None-", Body::kToken, 20, 255},
                                {"sk-ant-", Body::kToken, 20, 255},
                                {"sk-or-v1-", Body::kHex, 32, 128},
                                {"sk-", Body::kAlnum, 32, 128},
                                {"SK", Body::kHex, 32, 32},
                                {"npm_", Body::kAlnum, 36, 36},
                                {"pypi-AgE", Body::kToken, 30, 1000},
                                {"key-", Body::kHex, 32, 32},
                                {"pubkey-", Body::kHex, 32, 32},
                                {"dop_v1_", Body::kHex, 64, 64},
                                {"doo_v1_", Body::kHex, 64, 64},
                                {"dor_v1_", Body::kHex, 64, 64},
                                {"shpat_", Body::kHex, 32, 32},
                                {"shpca_", Body::kHex, 32, 32},
                                {"shppa_", Body::kHex, 32, 32},
                                {"shpss_", Body::kHex, 32, 32},
                                {"sq0atp-", Body::kToken, 22, 60},
                                {"sq0csp-", Body::kToken, 40, 60},
                                {"EAAA", Body::kToken, 56, 64},
                                {"EAA", Body::kAlnum, 90, 600},
                                {"hf_", Body::kAlnum, 30, 64},
                                {"api_org_", Body::kAlnum, 34, 34},
                                {"dapi", Body::kHex, 32, 34},
                                {"lin_api_", Body::kAlnum, 32, 64},
                                {"secret_", Body::kAlnum, 43, 43},
                                {"ntn_", Body::kAlnum, 40, 64},
                                {"figd_", Body::kToken, 30, 80},
                                {"ATATT3", Body::kDotted, 80, 255},
                                {"ATCTT3", Body::kDotted, 80, 255},
                                {"ATBB", Body::kAlnum, 32, 32},
                                {"pscale_tkn_", Body::kDotted, 32, 64},
                                {"pscale_pw_", Body::kDotted, 32, 64},
                                {"pscale_oauth_", Body::kDotted, 32, 64},
                                {"sbp_", Body::kHex, 40, 64},
                                {"sb_secret_", Body::kToken, 20, 64},
                                {"glc_", Body::kDotted, 32, 400},
                                {"glsa_", Body::kToken, 40, 48},
                                {"NRAK-", Body::kAlnum, 27, 27},
                                {"NRII-", Body::kToken, 32, 32},
                                {"NRJS-", Body::kHex, 19, 19},
                                {"NRRA-", Body::kHex, 42, 42},
                                {"NRIQ-", Body::kToken, 32, 32},
                                {"sntrys_", Body::kDotted, 80, 500},
                                {"sntryu_", Body::kHex, 64, 64},
                                {"PMAK-", Body::kToken, 59, 59},
                                {"pul-", Body::kHex, 40, 40},
                                {"rubygems_", Body::kHex, 48, 48},
                                {"HRKU-", Body::kToken, 36, 70},
                                {"nfp_", Body::kAlnum, 36, 40},
                                {"nfc_", Body::kAlnum, 36, 40},
                                {"nfo_", Body::kAlnum, 36, 40},
                                {"dckr_pat_", Body::kToken, 27, 40},
                                {"dckr_oat_", Body::kToken, 27, 40},
                                {"AGE-SECRET-KEY-1", Body::kAlnum, 58, 58},
                                {"r8_", Body::kAlnum, 37, 37},
                                {"pplx-", Body::kAlnum, 40, 64},
                                {"gsk_", Body::kAlnum, 40, 64},
                                {"xai-", Body::kAlnum, 70, 90},
                                {"AKCp", Body::kAlnum, 69, 80},
                                {"cmVmdGtu", Body::kAlnum, 40, 70},
                                {"EZAK", Body::kAlnum, 54, 54},
                                {"EZTK", Body::kAlnum, 54, 54},
                                {"FLWSECK_TEST-", Body::kToken, 12, 40},
                                {"FLWSECK-", Body::kToken, 12, 40},
                                {"FLWPUBK_TEST-", Body::kToken, 32, 40},
                                {"pnu_", Body::kAlnum, 36, 36},
                                {"pnb_", Body::kAlnum, 36, 36},
                                {"rdme_", Body::kAlnum, 70, 70},
                                {"xkeysib-", Body::kToken, 64, 90},
                                {"xsmtpsib-", Body::kToken, 64, 90},
                                {"shippo_live_", Body::kHex, 40, 40},
                                {"shippo_test_", Body::kHex, 40, 40},
                                {"tfp_", Body::kToken, 44, 70},
                                {"duffel_live_", Body::kToken, 43, 43},
                                {"duffel_test_", Body::kToken, 43, 43},
                                {"fm1_", Body::kDotted, 50, kMany},
                                {"fm2_", Body::kDotted, 50, kMany},
                                {"fo1_", Body::kToken, 43, 43},
                                {"ops_eyJ", Body::kToken, 80, kMany},
                                {"s-s4t2ud-", Body::kHex, 64, 64},
                                {"s-s4t2af-", Body::kHex, 64, 64},
                                {"live_", Body::kHex, 35, 35},
                                {"test_", Body::kHex, 35, 35},
                                {"live_pub_", Body::kHex, 31, 31},
                                {"test_pub_", Body::kHex, 31, 31},
                                {"API-", Body::kUpper, 26, 26},
                                {"access-sandbox-", Body::kToken, 36, 36},
                                {"access-development-", Body::kToken, 36, 36},
                                {"access-production-", Body::kToken, 36, 36},
                                {"BBFF-", Body::kAlnum, 30, 30},
                                {"CLOJARS_", Body::kAlnum, 60, 60},
                                {"co_", Body::kAlnum, 40, 40},
                                {"ico-", Body::kMixed, 32, 32},
                                {"CFPAT-", Body::kToken, 43, 43},
                                {"bkua_", Body::kHex, 40, 40},
                                {"bkct_", Body::kAlnum, 40, 64},
                                {"sdk-", Body::kToken, 36, 36},
                                {"mob-", Body::kToken, 36, 36},
                                {"oy2", Body::kAlnum, 43, 43},
                                {"fio-u-", Body::kToken, 64, 64},
                                {"gitlab-ci-token-", Body::kToken, 20, 64},
                                {"LTAI", Body::kAlnum, 17, 26},
                                {"tk-us-", Body::kToken, 48, 48},
                                {"cio", Body::kAlnum, 32, 32},
                                {"AQVN", Body::kToken, 35, 38},
                                {"YCAJE", Body::kToken, 20, 20},
                                {"ABSK", Body::kAlnum, 100, 280},
                                {"phx_", Body::kAlnum, 40, 60},
                                {"phc_", Body::kAlnum, 43, 43},
                                {"ccipat_", Body::kToken, 40, 100},
                                {"lsv2_pt_", Body::kToken, 40, 60},
                                {"lsv2_sk_", Body::kToken, 40, 60},
                                {"nvapi-", Body::kToken, 60, 80},
                                {"ddp_", Body::kAlnum, 34, 40},
                                {"aio_", Body::kAlnum, 28, 28},
                                {"akab-", Body::kToken, 30, 60},
                                {"tskey-", Body::kToken, 20, 100},
                                {"rpa_", Body::kAlnum, 40, 60},
                                {"e2b_", Body::kHex, 40, 40},
                                {"jina_", Body::kToken, 50, 80},
                                {"tvly-", Body::kToken, 28, 50},
                                {"apify_api_", Body::kAlnum, 34, 40},
                                {"sgp_", Body::kToken, 40, 100},
                                {"figo_", Body::kToken, 30, 80},
                                {"squ_", Body::kHex, 40, 40},
                                {"sqp_", Body::kHex, 40, 40},
                                {"sqa_", Body::kHex, 40, 40}};

// Keys that begin with a short word and a dot, so that the long run starts behind it.
constexpr Prefix kDotted[] = {{"SG.", Body::kDotted, 60, 80},        {"hvs.", Body::kToken, 24, 400},
                              {"hvb.", Body::kToken, 100, 600},      {"hvr.", Body::kToken, 24, 600},
                              {"ya29.", Body::kDotted, 20, 1000},    {"sl.", Body::kToken, 100, 1500},
                              {"sl.u.", Body::kToken, 100, 1500},    {"dp.pt.", Body::kAlnum, 40, 48},
                              {"dp.st.", Body::kDotted, 40, 80},     {"dp.ct.", Body::kAlnum, 40, 48},
                              {"dp.sa.", Body::kAlnum, 40, 48},      {"dp.scim.", Body::kAlnum, 40, 48},
                              {"dp.audit.", Body::kAlnum, 40, 48},   {"dt0c01.", Body::kDotted, 80, 100},
                              {"dt0s16.", Body::kDotted, 60, 100},   {"pat.", Body::kDotted, 60, 80},
                              {"sat.", Body::kDotted, 60, 80},       {"snyk_uat.", Body::kDotted, 40, 100},
                              {"snyk_sat.", Body::kDotted, 40, 100}, {"v1.", Body::kToken, 150, 200},
                              {"sk.eyJ", Body::kDotted, 60, 400},    {"s.", Body::kAlnum, 24, 24},
                              {"b.AAAAAQ", Body::kToken, 100, 400},  {"secret-token.", Body::kDotted, 20, 200}};

// Prefixes by their first two characters, so that nearly every run is dismissed by one look.
constexpr std::size_t kSlots = 1024;
constexpr std::size_t slot_of(char a, char b) {
  return (static_cast<unsigned char>(a) * 37u + static_cast<unsigned char>(b)) % kSlots;
}
struct PrefixIndex {
  std::array<std::uint8_t, kSlots> first{};               // 1 + the first prefix of that slot, 0: none
  std::array<std::uint8_t, std::size(kPrefixes)> next{};  // the same for the one behind each
};
static_assert(std::size(kPrefixes) < 255);
constexpr auto kIndex = [] {
  PrefixIndex index;
  for (std::size_t i = std::size(kPrefixes); i > 0; --i) {
    auto& first = index.first[slot_of(kPrefixes[i - 1].text[0], kPrefixes[i - 1].text[1])];
    index.next[i - 1] = first;
    first = static_cast<std::uint8_t>(i);
  }
  return index;
}();

constexpr std::size_t body_end(std::string_view text, std::size_t at, Body body, std::size_t most) noexcept {
  const std::size_t limit = std::min(text.size(), at + std::min<std::size_t>(most, text.size()) + 1);
  while (at < limit && is_body(body, text[at])) ++at;
  return at;
}

// Real keys have digits; identifiers that merely begin like one seldom do.
bool has_digit(std::string_view text) noexcept { return std::any_of(text.begin(), text.end(), is_digit); }

std::optional<TextSpan> match_prefix(std::string_view text, std::size_t at, const Prefix& prefix) noexcept {
  if (text.compare(at, prefix.text.size(), prefix.text) != 0) return {};
  const std::size_t start = at + prefix.text.size();
  const std::size_t end = body_end(text, start, prefix.body, prefix.most);
  const std::size_t size = end - start;
  if (size < prefix.least || size > prefix.most) return {};
  if (prefix.body != Body::kToken && prefix.body != Body::kDotted && end < text.size() &&
      (is_alnum(text[end]) || text[end] == '_'))
    return {};
  // Sixteen capitals behind these four are a key id whatever they are.
  if (prefix.body != Body::kUpper && !has_digit(text.substr(start, size))) return {};
  if (prefix.body == Body::kMixed && std::none_of(text.begin() + static_cast<std::ptrdiff_t>(start),
                                                  text.begin() + static_cast<std::ptrdiff_t>(end), is_upper))
    return {};
  return TextSpan{at, end};
}

// Three or five parts of base64url, the first of them an object (RFC 7519, RFC 7516).
std::optional<TextSpan> match_jwt(std::string_view text, std::size_t at, std::size_t run_end) noexcept {
  if (text.compare(at, 3, "eyJ") != 0 || run_end - at < 12 || run_end >= text.size() || text[run_end] != '.') return {};
  std::size_t end = run_end;
  std::size_t parts = 1;
  std::size_t bytes = 0;
  while (parts < 5 && end < text.size() && text[end] == '.') {
    const std::size_t next = body_end(text, end + 1, Body::kToken, text.size());
    bytes += next - end - 1;
    end = next;
    ++parts;
  }
  if (parts < 3 && bytes < 10) return {};
  return TextSpan{at, end};
}

// `SG.`, `hvs.`, `1//`: the part in front of the run.
std::optional<TextSpan> match_dotted(std::string_view text, std::size_t at) noexcept {
  if (at < 3) return {};
  if (text[at - 1] == '/')
    return text.compare(at - 3, 3, "1//") == 0 ? match_prefix(text, at - 3, {"1//0", Body::kToken, 38, 255})
                                               : std::nullopt;
  if (text[at - 1] != '.') return {};
  std::size_t begin = at - 1;
  while (begin > 0 && at - begin < 24 && (is_token_char(text[begin - 1]) || text[begin - 1] == '.')) --begin;
  // A prefix may stand behind another word and a dot.
  for (std::size_t start = begin; start + 2 <= at; ++start) {
    if (start > begin && is_token_char(text[start - 1])) continue;
    for (const Prefix& prefix : kDotted)
      if (text[start] == prefix.text[0])
        if (const auto found = match_prefix(text, start, prefix)) return found;
  }
  return {};
}

}  // namespace

std::optional<TextSpan> find_token(std::string_view text, std::size_t at, std::size_t run_end) noexcept {
  if (at + 1 >= text.size()) return {};
  for (std::size_t i = kIndex.first[slot_of(text[at], text[at + 1])]; i != 0; i = kIndex.next[i - 1])
    if (const auto found = match_prefix(text, at, kPrefixes[i - 1])) return found;
  return text[at] == 'e' ? match_jwt(text, at, run_end) : std::nullopt;
}

std::optional<TextSpan> find_odd_token(std::string_view text, std::size_t at, std::size_t run_end) noexcept {
  if (const auto found = match_dotted(text, at)) return found;
  const std::size_t size = run_end - at;
  const auto hex = [&](std::size_t from, std::size_t count) {
    return from + count <= text.size() && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(from),
                                                      text.begin() + static_cast<std::ptrdiff_t>(from + count), is_hex);
  };
  // Mailchimp: 32 hex digits and the data centre.
  if (size >= 36 && size <= 38 && text.compare(at + 32, 3, "-us") == 0 && hex(at, 32)) return TextSpan{at, run_end};
  // Terraform Cloud.
  if (size == 14 && text.compare(run_end, 9, ".atlasv1.") == 0) {
    const std::size_t end = body_end(text, run_end + 9, Body::kDotted, 80);
    if (end - run_end >= 60) return TextSpan{at, end};
  }
  // Airtable: `pat`, 14 characters, and 64 hex digits behind a dot.
  if (size == 17 && text.compare(at, 3, "pat") == 0 && text.compare(run_end, 1, ".") == 0 && hex(run_end + 1, 64))
    return TextSpan{at, run_end + 65};
  // Discord: the id of the bot in base64, a time stamp, a signature.
  if (size >= 24 && size <= 28 && (text[at] == 'M' || text[at] == 'N' || text[at] == 'O') &&
      text.compare(run_end, 1, ".") == 0) {
    const std::size_t middle = body_end(text, run_end + 1, Body::kToken, 10);
    if (middle - run_end == 7 && text.compare(middle, 1, ".") == 0) {
      const std::size_t end = body_end(text, middle + 1, Body::kToken, 64);
      if (end - middle > 26 && end - middle <= 64) return TextSpan{at, end};
    }
  }
  // Azure: three characters, a digit, `Q~`, and 31 to 34 more, dots and tildes among them.
  if (at >= 6 && (text[at - 1] == '~' || text[at - 1] == '.')) {
    const auto is_azure = [](char c) { return is_token_char(c) || c == '.' || c == '~'; };
    std::size_t mark = at;
    while (mark >= 6 && at - mark < 34 && is_azure(text[mark - 1]) &&
           !(text[mark - 1] == '~' && text[mark - 2] == 'Q' && is_digit(text[mark - 3])))
      --mark;
    if (mark >= 6 && text[mark - 1] == '~' && text[mark - 2] == 'Q') {
      std::size_t end = at;
      while (end < text.size() && end - mark < 40 && is_azure(text[end])) ++end;
      if (end - mark >= 31 && end - mark <= 35) return TextSpan{mark - 6, end};
    }
  }
  // Facebook: the id of the app, a bar, 27 characters.
  if ((size == 15 || size == 16) && text.compare(run_end, 1, "|") == 0 &&
      std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(run_end),
                  is_digit)) {
    const std::size_t end = body_end(text, run_end + 1, Body::kToken, 40);
    if (end - run_end == 28) return TextSpan{at, end};
  }
  return {};
}

}  // namespace gatehouse

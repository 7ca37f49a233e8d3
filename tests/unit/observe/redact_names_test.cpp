#include "observe/redact_names.hpp"

#include <gtest/gtest.h>

using namespace gatehouse;
using Verdict = SensitiveNames::Verdict;

namespace {

const SensitiveNames& built_in() {
  static const SensitiveNames names;
  return names;
}

void expect_all(Verdict verdict, std::initializer_list<std::string_view> names) {
  for (const auto name : names) EXPECT_EQ(built_in().judge(name), verdict) << name;
}

}  // namespace

TEST(SensitiveNames, FindsSecretsInEverySpelling) {
  expect_all(Verdict::kSensitive, {"password",
                                   "Password",
                                   "PASSWORD",
                                   "user_password",
                                   "user-password",
                                   "userPassword",
                                   "UserPassword",
                                   "db.password",
                                   "user[password]",
                                   "user[password][]",
                                   "DBPassword",
                                   "api_key",
                                   "apikey",
                                   "apiKey",
                                   "API-Key",
                                   "X-Api-Key",
                                   "APIKEY",
                                   "client_secret",
                                   "clientSecret",
                                   "clientsecret",
                                   "access_token",
                                   "accessToken",
                                   "accesstoken",
                                   "X-Auth-Token",
                                   "private_key",
                                   "privateKey",
                                   "secret_key_base",
                                   "AWS_SECRET_ACCESS_KEY",
                                   "x-amz-security-token",
                                   "X-Amz-Signature",
                                   "X-Amz-Credential",
                                   "authorization",
                                   "Authorization",
                                   "Proxy-Authorization",
                                   "cookie",
                                   "Set-Cookie",
                                   "sessionid",
                                   "session_id",
                                   "JSESSIONID",
                                   "PHPSESSID",
                                   "connect.sid",
                                   "csrftoken",
                                   "csrfmiddlewaretoken",
                                   "authenticity_token",
                                   "X-CSRF-Token",
                                   "card_number",
                                   "cardNumber",
                                   "cvv",
                                   "cvc",
                                   "ssn",
                                   "pin",
                                   "otp",
                                   "refresh_token",
                                   "id_token"});
}

TEST(SensitiveNames, FindsSecretsInsideCompounds) {
  expect_all(Verdict::kSensitive, {"password_confirmation",
                                   "passwordConfirmation",
                                   "passwordconfirm",
                                   "password1",
                                   "password2",
                                   "new_password1",
                                   "old_password",
                                   "password_hash",
                                   "password_salt",
                                   "passwords",
                                   "secrets",
                                   "credentials",
                                   "token_value",
                                   "tokenHash",
                                   "reset_password_token",
                                   "password_reset_token",
                                   "smtp_pass",
                                   "DB_PASS",
                                   "api_key_2",
                                   "authorization_code",
                                   "access_tokens",
                                   "vault_secret_id",
                                   "stripe_secret_key_live"});
}

TEST(SensitiveNames, LeavesFactsAboutSecretsAlone) {
  expect_all(Verdict::kHarmless, {"password_reset_url",
                                  "passwordResetUrl",
                                  "passwordless",
                                  "password_changed_at",
                                  "password_min_length",
                                  "password_policy",
                                  "token_type",
                                  "token_count",
                                  "max_tokens",
                                  "prompt_tokens",
                                  "tokens",
                                  "tokenizer",
                                  "token_expires_in",
                                  "secret_name",
                                  "secretName",
                                  "secretary",
                                  "secretariat",
                                  "private_key_path",
                                  "api_key_id",
                                  "authorization_endpoint",
                                  "cookie_consent",
                                  "credential_type",
                                  "compass",
                                  "bypass",
                                  "passenger",
                                  "passed",
                                  "spinner",
                                  "pinned",
                                  "opinion",
                                  "inside",
                                  "side",
                                  "author",
                                  "authored_by",
                                  "status",
                                  "username",
                                  "email",
                                  "message",
                                  "id"});
}

TEST(SensitiveNames, KnowsNamesThatAreOnlySecretInUrls) {
  expect_all(Verdict::kInUrl, {"code", "state", "key", "sig", "Signature", "session", "auth", "ticket"});
  expect_all(Verdict::kHarmless, {"status_code", "error_code", "zip_state", "keyboard"});
}

TEST(SensitiveNames, ARememberedNameIsJudgedByTheListThatIsAsked) {
  const std::string extra[] = {"favourite"};
  const SensitiveNames plain;
  const SensitiveNames longer(extra);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(plain.judge("favourite"), SensitiveNames::Verdict::kHarmless);
    EXPECT_EQ(longer.judge("favourite"), SensitiveNames::Verdict::kSensitive);
    EXPECT_EQ(plain.judge("password"), SensitiveNames::Verdict::kSensitive);
    EXPECT_EQ(plain.judge("passXord"), SensitiveNames::Verdict::kHarmless);
  }
}

TEST(SensitiveNames, SuspectsKeysOfUnknownKind) {
  expect_all(Verdict::kSuspect, {"adafruit_key", "ADAFRUIT_API", "square_access"});
  expect_all(Verdict::kHarmless, {"public_key", "primary_key", "cache_key", "idempotency_key", "monkey", "keyword"});
}

TEST(SensitiveNames, TakesFurtherNamesInAnySpelling) {
  const std::string extra[] = {"patientId", "diagnosis", "", "---"};
  const SensitiveNames names(extra);
  EXPECT_EQ(names.judge("patient_id"), Verdict::kSensitive);
  EXPECT_EQ(names.judge("PATIENT-ID"), Verdict::kSensitive);
  EXPECT_EQ(names.judge("first_diagnosis"), Verdict::kSensitive);
  EXPECT_EQ(names.judge("patient_idea"), Verdict::kHarmless);
  EXPECT_EQ(names.judge("misdiagnosis"), Verdict::kHarmless);
  EXPECT_EQ(names.judge("password"), Verdict::kSensitive);
}

TEST(SensitiveNames, JudgesLongNamesByTheirEnd) {
  EXPECT_EQ(built_in().judge(std::string(100000, 'x') + "_password"), Verdict::kSensitive);
  EXPECT_EQ(built_in().judge(std::string(100000, '_')), Verdict::kHarmless);
  EXPECT_EQ(built_in().judge(""), Verdict::kHarmless);
}

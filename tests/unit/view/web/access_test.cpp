#include "view/web/access.hpp"

#include "catch.hpp"

using namespace glimpse;

namespace {

const std::string token(64, 'a');

AccessRules with_token() {
  return {Reach::token, token, "glimpse_8080", {}};
}

Asking asking(const std::string& host) {
  Asking a;
  a.path = "/api/status";
  a.host = host;
  return a;
}

}  // namespace

TEST_CASE("On loopback only its own names are answered") {
  const AccessRules rules{Reach::loopback, "", "", {"Desk.example"}};
  for (const char* own : {"localhost", "localhost:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080",
                          "LocalHost", "desk.example:8080"})
    CHECK(judge(rules, asking(own)) == Verdict::granted);
  for (const char* foreign :
       {"", "evil.example", "localhost.evil.example", "desk.example.local", "desk.example.evil",
        "127.0.0.1.evil.example", "pi", "10.0.0.1", "[fe80::1]", "[", "[]", ":8080"})
    CHECK(judge(rules, asking(foreign)) == Verdict::foreign_host);
}

TEST_CASE("An open page goes by addresses and the machine's names") {
  const AccessRules rules{Reach::open, "", "", {"Pi", "camera.example", ""}};
  for (const char* own :
       {"10.0.0.1:8080", "[2001:db8::1]:8080", "pi:8080", "PI.local", "camera.example", "localhost"})
    CHECK(judge(rules, asking(own)) == Verdict::granted);
  for (const char* foreign : {"evil.example", "pi.com", "pi.evil.example", "", ":8080", "[]", ".local"})
    CHECK(judge(rules, asking(foreign)) == Verdict::foreign_host);
}

TEST_CASE("The token comes in a header, a cookie or the query") {
  Asking a = asking("whatever.example");
  CHECK(judge(with_token(), a) == Verdict::no_token);
  SECTION("header") {
    a.authorization = "Bearer " + token;
  }
  SECTION("cookie") {
    a.cookies = "glimpse_80=x; glimpse_8080=" + token + "; other=y";
  }
  SECTION("the only cookie") {
    a.cookies = "glimpse_8080=" + token;
  }
  SECTION("query") {
    a.token = token;
  }
  CHECK(judge(with_token(), a) == Verdict::granted);
}

TEST_CASE("What is not quite the token is none") {
  Asking a = asking("pi");
  SECTION("one digit off") {
    a.authorization = "Bearer " + token.substr(1) + "b";
  }
  SECTION("too short") {
    a.authorization = "Bearer " + token.substr(1);
  }
  SECTION("too long") {
    a.token = token + "a";
  }
  SECTION("another scheme") {
    a.authorization = "Basic " + token;
  }
  SECTION("another port's cookie") {
    a.cookies = "glimpse_80=" + token;
  }
  SECTION("a cookie that only ends so") {
    a.cookies = "not_glimpse_8080=" + token;
  }
  SECTION("broken cookies") {
    a.cookies = ";;=;glimpse_8080";
  }
  CHECK(judge(with_token(), a) == Verdict::no_token);
}

TEST_CASE("Whether it is well may be asked without a token") {
  Asking a = asking("pi");
  a.path = "/healthz";
  CHECK(judge(with_token(), a) == Verdict::granted);
  a.path = "/healthz/";
  CHECK(judge(with_token(), a) == Verdict::no_token);
}

TEST_CASE("A page of another origin gets nothing, token or not") {
  Asking a = asking("pi:8080");
  a.authorization = "Bearer " + token;
  for (const char* own : {"http://pi:8080", "https://pi:8080", "http://PI:8080"}) {
    a.origin = own;
    CHECK(judge(with_token(), a) == Verdict::granted);
  }
  for (const char* foreign : {"http://evil.example", "http://pi", "http://pi:80800", "null", "pi:8080"}) {
    a.origin = foreign;
    CHECK(judge(with_token(), a) == Verdict::foreign_origin);
  }
}

TEST_CASE("An empty secret is no secret") {
  CHECK(same_secret("abc", "abc"));
  CHECK_FALSE(same_secret("", ""));
  CHECK_FALSE(same_secret("abc", "abd"));
  CHECK_FALSE(same_secret("abc", "abcd"));
}

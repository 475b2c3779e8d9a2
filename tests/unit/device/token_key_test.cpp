// Names of keys in a token. That one works in a session: tests/integration/telemetry/token_test.cpp.
#include "device/token_key.hpp"

#include "certificates.hpp"

using namespace glimpse;

TEST_CASE("a PKCS#11 URI names a key in a token, and where its PIN is") {
  CHECK(is_token_uri("pkcs11:token=a;object=b"));
  CHECK_FALSE(is_token_uri("/etc/glimpse/pkcs11:a"));
  CHECK_FALSE(is_token_uri("PKCS11"));
  CHECK(without_pin("pkcs11:token=a?pin-value=1234") == "pkcs11:token=a");
  CHECK(without_pin("odd?name.key") == "odd?name.key");
  CHECK(pin_file("pkcs11:token=a").empty());
  CHECK(pin_file("pkcs11:token=a?pin-value=1234").empty());
  CHECK(pin_file("pkcs11:token=a?pin-source=").empty());
  CHECK(pin_file("pkcs11:token=a?pin-source=/etc/pin") == "/etc/pin");
  CHECK(pin_file("pkcs11:token=a?module-name=x&pin-source=file:/a%20b/%e2%82%ac%") == "/a b/\xe2\x82\xac%");
}

TEST_CASE("a key in a token that cannot be had is refused in words, without its PIN") {
  const Certificates made;
  const std::string message = refusal_of([&] {
    check_credentials({"", made.file("device.crt"), "pkcs11:token=no-such-token-here?pin-value=31415"});
  });
  CHECK_THAT(message, ContainsSubstring("key 'pkcs11:token=no-such-token-here'"));
  // Debian 12 has no provider; elsewhere there may be one.
  CHECK_THAT(message, ContainsSubstring("apt install pkcs11-provider") ||
                          ContainsSubstring("not to be had from the token"));
  CHECK(message.find("31415") == std::string::npos);
}

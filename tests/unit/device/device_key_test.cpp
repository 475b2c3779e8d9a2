#include "device/device_key.hpp"

#include "certificates.hpp"

using namespace glimpse;

namespace {

std::string text_of(const Secret& secret) {
  return {secret.data(), secret.size()};
}

Secret secret_of(const std::string& text) {
  return Secret({text.begin(), text.end()});
}

/// What the openssl command makes of `input`; "" where it refuses it.
std::string openssl(const std::string& words, const std::string& input) {
  const TempFolder folder;
  const std::string in = folder.write("in", input).string(), out = (folder.path() / "out").string();
  const std::string command = "openssl " + words + " -in '" + in + "' >'" + out + "' 2>/dev/null";
  return std::system(command.c_str()) == 0 ? read_text(out) : "";
}

}  // namespace

TEST_CASE("A device's key is a new one on P-256 each time, and openssl reads it") {
  const std::string key = text_of(make_device_key());
  CHECK(key.rfind("-----BEGIN PRIVATE KEY-----\n", 0) == 0);
  CHECK_THAT(openssl("pkey -noout -text", key), ContainsSubstring("NIST CURVE: P-256"));
  CHECK(key != text_of(make_device_key()));
}

TEST_CASE("A signing request is for the key and the name, and signed by the key") {
  const Secret key = make_device_key();
  const std::string request = signing_request("device.key", key, "pi_7:a-B");
  CHECK(openssl("req -verify -noout -subject -nameopt RFC2253", request) == "subject=CN=pi_7:a-B\n");
  CHECK(openssl("req -noout -pubkey", request) == openssl("pkey -pubout", text_of(key)));
  CHECK(request.find("PRIVATE") == std::string::npos);
}

TEST_CASE("A request in a long name has as much of it as a certificate takes") {
  const Secret key = make_device_key();
  CHECK(openssl("req -verify -noout -subject -nameopt RFC2253",
                signing_request("device.key", key, std::string(128, 'x'))) ==
        "subject=CN=" + std::string(64, 'x') + "\n");
}

TEST_CASE("A file that is no key is named") {
  const auto act = [] { (void)signing_request("/state/device.key", secret_of("none"), "pi-7"); };
  CHECK(refusal_of(act).rfind("key '/state/device.key' holds no PEM private key", 0) == 0);
}

TEST_CASE("A certificate is held against the key that it was asked for") {
  const Certificates certificates;
  const Secret key = secret_of(read_text(certificates.file("device.key")));
  const std::string good = read_text(certificates.file("device.crt"));
  CHECK(certificate_fault(good, key).empty());
  CHECK(certificate_fault(good + read_text(certificates.file("ca.crt")), key).empty());  // a chain
  CHECK(certificate_fault(read_text(certificates.file("device-future.crt")), key) == "is for another key");
  CHECK(certificate_fault("", key) == "is none, or damaged");
  CHECK(certificate_fault("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key) ==
        "is none, or damaged");
  CHECK(certificate_fault(good.substr(0, good.size() / 2), key) == "is none, or damaged");
}

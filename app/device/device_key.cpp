#include "device/device_key.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "device/pem.hpp"

namespace glimpse {
namespace {

constexpr std::size_t max_common_name = 64;  // X.520, ub-common-name

[[noreturn]] void give_up(const std::string& what) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  throw Error(ExitCode::internal, "OpenSSL cannot make " + what + (reason ? std::string(": ") + reason : "") +
                                      "; check its configuration (openssl.cnf)");
}

/// What was written to `memory`, as text.
std::pair<const char*, std::size_t> content(const Bio& memory) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

struct FreeRequest {
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
};

}  // namespace

Secret make_device_key() {
  const Key key(EVP_EC_gen("P-256"));
  const Bio pem(BIO_new(BIO_s_secmem()));
  if (!key || !pem ||
      PEM_write_bio_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    give_up("a key");
  const auto [text, size] = content(pem);
  return Secret({text, text + size});
}

std::string signing_request(const std::string& file, const Secret& key, const std::string& device) {
  const Key pair = parse_key("key '" + escape_control(file) + "'", key);
  const std::unique_ptr<X509_REQ, FreeRequest> request(X509_REQ_new());
  const std::string name = device.substr(0, max_common_name);
  const auto* const bytes = reinterpret_cast<const unsigned char*>(name.c_str());
  const Bio pem(BIO_new(BIO_s_mem()));
  if (!request || !pem ||
      X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_ASC, bytes, -1, -1,
                                 0) != 1 ||
      X509_REQ_set_pubkey(request.get(), pair.get()) != 1 ||
      X509_REQ_sign(request.get(), pair.get(), EVP_sha256()) == 0 ||
      PEM_write_bio_X509_REQ(pem.get(), request.get()) != 1)
    give_up("a signing request");
  const auto [text, size] = content(pem);
  return {text, size};
}

std::string certificate_fault(const std::string& pem, const Secret& key) {
  std::vector<Certificate> certificates;
  try {
    certificates = parse_certificates("it", Secret({pem.begin(), pem.end()}));
  } catch (const Error&) {
    return "is none, or damaged";
  }
  const bool is_ours = X509_check_private_key(certificates.front().get(), parse_key("key", key).get()) == 1;
  ERR_clear_error();
  return is_ours ? "" : "is for another key";
}

}  // namespace glimpse

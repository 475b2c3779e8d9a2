#include "device/pem.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/error.hpp"

namespace glimpse {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ExitCode::credentials, message);
}

}  // namespace

Bio reader_of(const Secret& bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::vector<Certificate> parse_certificates(const std::string& name, const Secret& bytes) {
  const Bio bio = reader_of(bytes);
  std::vector<Certificate> list;
  ERR_clear_error();
  while (Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
    list.push_back(std::move(certificate));
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (list.empty()) refuse(name + " holds no PEM certificate; give one that has a line BEGIN CERTIFICATE");
  if (!at_end) refuse(name + " holds a certificate that is cut off or damaged; copy the file again");
  return list;
}

Key parse_key(const std::string& name, const Secret& bytes) {
  bool encrypted = false;
  Key key(PEM_read_bio_PrivateKey(reader_of(bytes).get(), nullptr, never_answer, &encrypted));
  ERR_clear_error();
  if (encrypted)
    refuse(name + " is encrypted; give a key without a pass phrase (openssl pkey -in OLD -out NEW)");
  if (!key) refuse(name + " holds no PEM private key; give one that has a line BEGIN PRIVATE KEY");
  return key;
}

int never_answer(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace glimpse

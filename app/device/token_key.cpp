#include "device/token_key.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ui.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

constexpr std::size_t max_uri_bytes = 4096;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ExitCode::credentials, message);
}

std::string name_of(const std::string& uri) {
  return "key '" + escape_control(without_pin(uri)) + "'";
}

struct Wiped {
  std::string text;
  ~Wiped() { OPENSSL_cleanse(text.data(), text.size()); }
};

/// The value of a query attribute, still percent-encoded; nullptr where it is missing. RFC 7512, 2.3.
std::string_view query_value(std::string_view uri, std::string_view attribute) {
  const auto mark = uri.find('?');
  std::string_view query = mark == std::string_view::npos ? "" : uri.substr(mark + 1);
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (part.substr(0, part.find('=')) == attribute && part.size() > attribute.size())
      return part.substr(attribute.size() + 1);
  }
  return {};
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

void append_percent_encoded(std::string& uri, std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    uri += {'%', hex[byte >> 4], hex[byte & 15]};
  }
}

/// The URI as the provider takes it: of a private key, with the PIN itself in the place of its file's name.
Wiped complete(const std::string& uri) {
  Wiped full;
  full.text.reserve(uri.size() + max_uri_bytes);  // so that no copy of the PIN stays behind
  full.text = without_pin(uri);
  if (full.text.find("type=") == std::string::npos) full.text += ";type=private";
  const std::string file = pin_file(uri);
  if (!file.empty()) {
    const Secret pin = read_private_file("PIN file", file);
    const std::string_view line(pin.data(), pin.size());
    full.text += "?pin-value=";
    append_percent_encoded(full.text, line.substr(0, line.find_first_of("\r\n")));
  } else if (const auto pin = query_value(uri, "pin-value"); !pin.empty()) {
    full.text.append("?pin-value=").append(pin);
  }
  if (full.text.size() > max_uri_bytes)
    refuse(name_of(uri) + " is longer than " + std::to_string(max_uri_bytes) + " bytes; shorten it");
  return full;
}

void append_der(std::string& out, unsigned char tag, std::string_view content) {
  const auto size = content.size();
  out += static_cast<char>(tag);
  if (size < 0x80) {
    out += static_cast<char>(size);
  } else {
    out += {'\x82', static_cast<char>(size >> 8), static_cast<char>(size & 0xff)};
  }
  out += content;
}

/// The provider asks for a PIN it lacks on the terminal, at each session anew. A device has nobody to answer.
/// The question fails here, where OpenSSL's UI_null() would answer "", which counts as a wrong PIN.
void forbid_questions() {
  static UI_METHOD* const refusing = [] {
    UI_METHOD* method = UI_create_method("no questions");
    UI_method_set_reader(method, [](UI*, UI_STRING*) { return -1; });
    return method;
  }();
  UI_set_default_method(refusing);
}

void load_provider(const std::string& uri) {
  forbid_questions();
  // Beside the default one, which goes on serving everything else.
  if (OSSL_PROVIDER_available(nullptr, "pkcs11") == 1 ||
      OSSL_PROVIDER_try_load(nullptr, "pkcs11", 1) != nullptr)
    return;
  ERR_clear_error();
  refuse(name_of(uri) +
         " is in a token, and this system's OpenSSL has no provider for PKCS#11: apt install "
         "pkcs11-provider (Debian 13 on; Debian 12 has none: give a key file there)");
}

}  // namespace

bool is_token_uri(const std::string& key) {
  return key.rfind("pkcs11:", 0) == 0;
}

std::string without_pin(const std::string& uri) {
  return is_token_uri(uri) ? uri.substr(0, uri.find('?')) : uri;
}

std::string pin_file(const std::string& uri) {
  const std::string file = percent_decoded(query_value(uri, "pin-source"));
  return file.rfind("file:", 0) == 0 ? file.substr(5) : file;
}

Secret reference_pem(const std::string& uri) {
  load_provider(uri);
  const Wiped full = complete(uri);
  Wiped body, der;
  body.text.reserve(2 * max_uri_bytes);
  der.text.reserve(2 * max_uri_bytes);
  append_der(body.text, 0x1a, "PKCS#11 Provider URI v1.0");  // VisibleString
  append_der(body.text, 0x0c, full.text);                    // UTF8String
  append_der(der.text, 0x30, body.text);                     // SEQUENCE
  const Bio bio(BIO_new(BIO_s_secmem()));
  PEM_write_bio(bio.get(), "PKCS#11 PROVIDER URI", "",
                reinterpret_cast<const unsigned char*>(der.text.data()), static_cast<long>(der.text.size()));
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return Secret({text, text + size});
}

Key find_token_key(const std::string& uri, const Secret& reference) {
  bool asked = false;
  Key key(PEM_read_bio_PrivateKey(reader_of(reference).get(), nullptr, never_answer, &asked));
  ERR_clear_error();
  if (key) return key;
  if (asked)
    refuse(name_of(uri) +
           " needs a PIN, or another one; put it in a file of mode 0600 and add "
           "?pin-source=/path/of/it to the URI");
  refuse(name_of(uri) +
         " is not to be had from the token; list what is there with: openssl storeutl "
         "-provider pkcs11 -keys pkcs11: (PKCS11_PROVIDER_MODULE names the token's driver)");
}

}  // namespace glimpse

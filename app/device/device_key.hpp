// A device's own key: made here, and certified by its public half alone.
#pragma once

#include <string>

#include "device/checked_file.hpp"

namespace glimpse {

/// A new EC key on P-256, PEM. Throws Error(internal) where OpenSSL cannot make one.
[[nodiscard]] Secret make_device_key();

/// A signing request (PKCS#10, PEM) for it in the name of `device`, of which X.520 takes 64 characters.
/// `file` names the key in messages. Throws Error(credentials) where it is none.
[[nodiscard]] std::string signing_request(const std::string& file, const Secret& key,
                                          const std::string& device);

/// What is wrong with a certificate that was issued for `key`, which is good; "" where nothing is.
[[nodiscard]] std::string certificate_fault(const std::string& pem, const Secret& key);

}  // namespace glimpse

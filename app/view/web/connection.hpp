// One viewer's socket, as the HTTP library reads and writes it: never longer, and never more, than it may.
#pragma once

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "core/file_descriptor.hpp"
#include "core/waiting.hpp"

namespace glimpse {

class Connection : public httplib::Stream {
 public:
  static constexpr std::size_t max_body = 4096;             // bytes
  static constexpr std::chrono::seconds write_patience{5};  // for a write to get anywhere

  /// `head`: what was read already, the request line and all headers at least. The rest is read until
  /// `read_by`; a write after `answered_by` fails.
  Connection(int socket, std::string head, Steady::time_point read_by, Steady::time_point answered_by)
      : socket_(socket), head_(std::move(head)), read_by_(read_by), answered_by_(answered_by) {}

  /// Whether there is more of the request, or may be.
  bool is_readable() const override;
  /// Whether the viewer is still there, and its time not over.
  bool is_writable() const override;
  /// 0 where the viewer has closed its side, -1 after `read_by` and where nothing more may come.
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  const int socket_;
  std::string head_;
  std::size_t taken_ = 0;        // of head_
  std::size_t room_ = max_body;  // for the rest of the request
  const Steady::time_point read_by_, answered_by_;
};

}  // namespace glimpse

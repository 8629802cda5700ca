#include "broker/net/reply_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace milena::broker {

ReplyWriter::Progress ReplyWriter::write(RequestQueue& queue, ByteSink& sink, MutableBytes scratch) {
  written_ = 0;
  for (;;) {
    consume(queue, 0);
    const PendingRequest* const first = queue.first();
    if (first == nullptr || !first->is_answered()) return Progress::kDone;
    if (first->closes()) return Progress::kClose;
    if (written_ >= kTurnBytes) return Progress::kYield;

    Batch batch;
    if (!gather(first, scratch, batch)) return Progress::kFailed;
    const ssize_t n =
        batch.count > 0 ? sink.write({batch.pieces.data(), batch.count}, batch.file != nullptr)
                        : sink.send_file(*batch.file, batch.position, std::min(batch.file_bytes, kTurnBytes));
    if (n == -EAGAIN) return Progress::kBlocked;
    if (n <= 0) {
      error_ = n < 0 ? "the peer is gone" : "a log file is shorter than the reply promised";
      return Progress::kFailed;
    }
    consume(queue, static_cast<std::size_t>(n));
    if (batch.count > 0 && static_cast<std::size_t>(n) < batch.bytes) return Progress::kBlocked;
  }
}

bool ReplyWriter::gather(const PendingRequest* request, MutableBytes scratch, Batch& batch) {
  std::size_t index = piece_, done = done_;
  auto add = [&](const std::byte* bytes, std::size_t size) {
    iovec* const last = batch.count > 0 ? &batch.pieces[batch.count - 1] : nullptr;
    if (last != nullptr && static_cast<std::byte*>(last->iov_base) + last->iov_len == bytes) {
      last->iov_len += size;
    } else {
      batch.pieces[batch.count++] = {const_cast<std::byte*>(bytes), size};
    }
    batch.bytes += size;
  };
  for (; request != nullptr && request->is_answered() && !request->closes();
       request = RequestQueue::after(*request), index = 0) {
    for (; index < request->pieces().size(); ++index, done = 0) {
      if (batch.count == batch.pieces.size() || batch.bytes >= kTurnBytes) return true;
      const PendingRequest::Piece& piece = request->pieces()[index];
      const std::size_t left = piece.size - done;
      if (piece.file == nullptr && (left > kCopyMax || left > scratch.size())) {
        add(piece.bytes + done, left);
        continue;
      }
      if (piece.file != nullptr && piece.size >= kSendFileMin && piece.file->descriptor() >= 0) {
        batch.file = piece.file;
        batch.position = piece.position + done;
        batch.file_bytes = left;
        return true;
      }
      const MutableBytes copy = scratch.first(std::min(left, scratch.size()));
      if (piece.file == nullptr) {
        std::memcpy(copy.data(), piece.bytes + done, copy.size());
      } else if (const auto read = piece.file->read_at(piece.position + done, copy);
                 !read || *read < copy.size()) {
        error_ = "a log file could not be read";
        return false;
      }
      add(copy.data(), copy.size());
      scratch = scratch.subspan(copy.size());
      if (copy.size() < left) return true;
    }
  }
  return true;
}

// Moves past `bytes` written bytes, and past requests of which nothing is left to write.
void ReplyWriter::consume(RequestQueue& queue, std::size_t bytes) {
  written_ += bytes;
  for (PendingRequest* first = queue.first(); first != nullptr && first->is_answered();
       first = queue.first()) {
    if (first->closes()) return;
    while (piece_ < first->pieces().size()) {
      const std::size_t left = first->pieces()[piece_].size - done_;
      if (bytes < left) {
        done_ += bytes;
        return;
      }
      bytes -= left;
      ++piece_;
      done_ = 0;
    }
    piece_ = 0;
    finished_.push(queue.pop());
  }
}

}  // namespace milena::broker

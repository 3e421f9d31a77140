//! What the suite shares: the sandbox, fixed keys and a fixed time.

-- Prevents ARC seals that would be invalid, and keeps their key in memory. docs/mail.md explains when a mail is sealed.

local rsa_privkey = require "rspamd_rsa_privkey"
local rspamd_util = require "rspamd_util"

-- rspamd 3.4 parses the key file for each seal, which takes longer than to sign. `ARC-Message-Signature` uses a key that
-- rspamd itself keeps until the file has a later date. The same rule here, so that both are signed with the same key.
local load_file = rsa_privkey.load_file
local keys = {}

rsa_privkey.load_file = function(path)
  local _, file = rspamd_util.stat(path)
  if not file then
    return load_file(path)
  end
  local cached = keys[path]
  if not cached or file.mtime > cached.mtime then
    cached = { key = load_file(path), mtime = file.mtime }
    keys[path] = cached.key and cached or nil
  end
  return cached.key
end

-- Fields that occur at most once (RFC 5322, 3.6; RFC 2045, 3).
local SINGLE_FIELDS = {
  "From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject", "Date",
  "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}

local function count(task, name)
  return #(task:get_header_full(name) or {})
end

-- Whether a seal of rspamd 3.4 would be valid. It is behind a single valid set and without any, but rspamd signs more sets
-- in the wrong order, and a broken chain as a whole instead of its last set (RFC 8617, 5.1.2). Nor do signatures verify if
-- a field is missing or repeated that must not be, or with form feeds, which rspamd takes for blanks (RFC 6376, 3.4.4).
local function may_seal(task)
  local sets = count(task, "ARC-Seal")
  if count(task, "ARC-Message-Signature") ~= sets or count(task, "ARC-Authentication-Results") ~= sets then
    return false
  end
  for _, name in ipairs(SINGLE_FIELDS) do
    if count(task, name) > 1 then
      return false
    end
  end
  if tostring(task:get_content()):find("\f", 1, true) then
    return false
  end
  return count(task, "From") == 1 and (sets == 0 or sets == 1 and task:has_symbol("ARC_ALLOW"))
end

rspamd_config:register_symbol({
  name = "MEMBERMAIL_ARC",
  type = "callback",
  callback = function(task)
    if not may_seal(task) then
      task:disable_symbol("ARC_SIGNED")
    end
  end,
})
rspamd_config:register_dependency("MEMBERMAIL_ARC", "ARC_CHECK")
rspamd_config:register_dependency("ARC_SIGNED", "MEMBERMAIL_ARC")

-- Refuses mail that forges one of our domains, if the domain's DMARC policy asks for it (RFC 9989). rspamd's own module
-- follows RFC 7489: no test mode, and no check of a mail with several authors. docs/mail.md explains the settings.

local lua_maps = require "lua_maps"

local settings = rspamd_config:get_all_opt("membermail_dmarc") or {}
local submitters = lua_maps.map_add_from_ucl(settings.submitters, "radix", "networks of the submission port")
local community = {}
for _, domain in ipairs(settings.domains or {}) do
  community[domain] = true
end

-- Author domains of one mail that are checked (RFC 9989, 11.5). The shortest come first.
local MAX_AUTHORS = 16

local function parent(domain)
  return domain:match("^[^.]*%.(.+)$")
end

local function is_below(domain, ancestor)
  return domain:sub(-#ancestor - 1) == "." .. ancestor
end

local function community_domain(domain)
  while domain and not community[domain] do
    domain = parent(domain)
  end
  return domain
end

local function is_dns_name(domain)
  for label in (domain .. "."):gmatch("([^.]*)%.") do
    if #label > 63 or not label:match("^[%w_-]+$") then
      return false
    end
  end
  return #domain <= 240
end

-- The domains in all `From` fields. The parser does not know the obsolete syntax (RFC 5322, 4), such as `a @ b.example`,
-- which readers show: where it finds no domain at all, each word behind an `@` counts.
local function from_domains(task)
  local found, is_known = {}, false
  for _, address in ipairs(task:get_from("mime") or {}) do
    local domain = (address.domain or ""):lower():gsub("%.$", "")
    table.insert(found, domain)
    is_known = is_known or is_dns_name(domain)
  end
  if not is_known then
    local fields = "\n" .. tostring(task:get_raw_headers()):gsub("\r?\n[ \t]+", " ")
    for value in fields:gmatch("\n[Ff][Rr][Oo][Mm][ \t]*:([^\n]*)") do
      for domain in value:gsub("%s", ""):gmatch("@([%w._-]+)") do
        table.insert(found, (domain:lower():gsub("%.$", "")))
      end
    end
  end
  return found
end

-- The author domains that are ours or below ours. Of a name that DNS cannot contain, our domain counts.
local function author_domains(task)
  local found, seen = {}, {}
  for _, domain in ipairs(from_domains(task)) do
    local ours = community_domain(domain)
    local author = is_dns_name(domain) and domain or ours
    if ours and not seen[author] then
      seen[author] = true
      table.insert(found, author)
    end
  end
  table.sort(found, function(a, b) return #a < #b end)
  return { unpack(found, 1, MAX_AUTHORS) }
end

-- The authenticated identifiers (RFC 9989, 4.4), and those of which it is not known whether they are.
local function identifiers(task)
  local found = {}
  local sender = (task:get_from("smtp") or {})[1] or {}
  local domain = sender.domain ~= "" and sender.domain or task:get_helo() or ""
  if task:has_symbol("R_SPF_ALLOW") or task:has_symbol("R_SPF_DNSFAIL") then
    table.insert(found, { domain = domain:lower(), mode = "aspf" })
  end
  local trace = (task:get_symbol("DKIM_TRACE") or {})[1] or {}
  -- rspamd takes a form feed for a blank, so that a good signature can fail.
  local is_unsure = tostring(task:get_content()):find("\f", 1, true)
  for _, option in ipairs(trace.options or {}) do
    local signer, result = option:match("^(.*):(.)$")
    if result == "+" or result == "?" or result == "-" and is_unsure then
      table.insert(found, { domain = signer:lower(), mode = "adkim" })
    end
  end
  return found
end

-- The tags of a policy record, or nil if it is none (RFC 9989, 4.7 and 4.8).
local function parse_record(text)
  local tags
  for part in text:gmatch("[^;]+") do
    local name, value = part:match("^%s*(%a+)%s*=%s*(.-)%s*$")
    if not tags then
      if name ~= "v" or value ~= "DMARC1" then
        return nil
      end
      tags = {}
    elseif name and not tags[name:lower()] then
      tags[name:lower()] = value:lower()
    end
  end
  return tags
end

-- Whether a record asks to reject mail of its own domain or of a subdomain that fails (RFC 9989, 4.7 and 4.10.1). `np` is
-- for names that do not exist. This is not looked up: where it is milder than the others, no mail is rejected.
local function asks_to_reject(tags, is_own)
  local known = { none = true, quarantine = true, reject = true }
  for _, name in ipairs({ "p", "sp", "np" }) do
    if not known[tags[name] or (name ~= "p" and "none")] then
      return false
    end
  end
  local policy = is_own and tags.p or tags.sp or tags.p
  return policy == "reject" and (is_own or (tags.np or "reject") == "reject") and tags.t ~= "y"
end

-- The DNS tree walk (RFC 9989, 4.10). Calls `done` with the records from the longest name to the shortest, or with nil if
-- DNS gave no answer.
local function walk(task, start, done)
  local records = {}
  local function ask(domain)
    local function answered(_, _, results, err)
      if err and err ~= "requested record is not found" and err ~= "no records with this name" then
        return done(nil)
      end
      local found = {}
      for _, text in ipairs(err and {} or results) do
        table.insert(found, parse_record(text))
      end
      local tags = #found == 1 and found[1] or nil
      if tags then
        table.insert(records, { domain = domain, tags = tags })
      end
      local above = parent(domain)
      while above and select(2, above:gsub("%.", "")) >= 7 do
        above = parent(above)
      end
      if not above or tags and (tags.psd == "n" or tags.psd == "y") then
        return done(records)
      end
      ask(above)
    end
    local query = { task = task, name = "_dmarc." .. domain, callback = answered, forced = true }
    if not task:get_resolver():resolve_txt(query) then
      done(nil)
    end
  end
  ask(start)
end

-- The organizational domain (RFC 9989, 4.10.2) and the record that applies to the author domain (4.10.1).
local function select_record(author, records)
  local top = records[#records]
  if top.tags.psd ~= "y" or top.domain == author then
    return top.domain, records[1].domain == author and records[1] or top
  end
  local organizational = author
  while parent(organizational) ~= top.domain do
    organizational = parent(organizational)
  end
  for _, record in ipairs(records) do
    if record.domain == author or record.domain == organizational then
      return organizational, record
    end
  end
  return organizational, top
end

-- Calls `done` with whether the mail fails DMARC for this author domain, whose policy is to reject such mail.
local function check_author(task, author, done)
  local found = identifiers(task)
  for _, identifier in ipairs(found) do
    if identifier.domain == author then
      return done(false)
    end
  end
  walk(task, author, function(records)
    if not records or #records == 0 then
      return done(false)
    end
    local organizational, record = select_record(author, records)
    for _, identifier in ipairs(found) do
      -- An identifier below a further `psd=n` would have an organizational domain of its own. It is let through.
      local domain = identifier.domain
      local is_aligned = domain == organizational or is_below(domain, organizational)
      if is_aligned and record.tags[identifier.mode] ~= "s" then
        return done(false)
      end
    end
    done(asks_to_reject(record.tags, record.domain == author))
  end)
end

local function check_authors(task)
  if task:get_user() or submitters and submitters:get_key(task:get_from_ip()) then
    return
  end
  -- SPF and DKIM count themselves here when they are done.
  if task:get_mempool():get_variable("dmarc_checks", "double") ~= 2 then
    return
  end
  local authors = author_domains(task)
  local function check(number)
    local author = authors[number]
    if not author then
      return
    end
    check_author(task, author, function(is_refused)
      if is_refused then
        local text = "Email rejected per DMARC policy for " .. community_domain(author)
        task:set_pre_result("reject", text, "membermail_dmarc")
      else
        check(number + 1)
      end
    end)
  end
  check(1)
end

rspamd_config:register_symbol({ name = "MEMBERMAIL_DMARC", type = "callback", callback = check_authors })
rspamd_config:register_dependency("MEMBERMAIL_DMARC", "SPF_CHECK")
rspamd_config:register_dependency("MEMBERMAIL_DMARC", "DKIM_CHECK")
-- No refused mail is sealed.
rspamd_config:register_dependency("ARC_SIGNED", "MEMBERMAIL_DMARC")

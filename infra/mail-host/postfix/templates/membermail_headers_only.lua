-- Turns off the analysis of contents: no signature and no policy needs text, languages, links, images or archives.

rspamd_config:register_symbol({
  name = "MEMBERMAIL_HEADERS_ONLY",
  -- Before the mail is read.
  type = "connfilter",
  callback = function(task)
    task:set_flag("skip_process")
  end,
})

-- 16 requests in one write.
init = function()
    local one = wrk.format("GET", wrk.path)
    batch = string.rep(one, 16)
end
request = function() return batch end

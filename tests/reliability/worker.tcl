# The worker of the reliability tests, in Tcl: README.md has the words it takes and the lines it prints.

package require polynats

set TICK 0.005
set FLUSH 0.5
set PATIENCE 20
set ROUND_MSGS 50
set rest [lassign $argv mode url]
set options {}
foreach word $rest {
    set at [string first = $word]
    set key [string range $word 0 $at-1]
    set value [string range $word $at+1 end]
    if {[string match +* $key]} {
        lappend options -[string range $key 1 end] $value
    } else {
        set words($key) $value
    }
}
fconfigure stdout -buffering line
interp alias {} now {} polynats now

# Tell, and wait until the harness has seen it.
proc tell_harness {what} {
    puts $what
    if {[gets stdin] eq "" && [eof stdin]} {
        exit 1
    }
}

proc over {{key until}} { return [file exists $::words($key)] }

proc put_events {nc} {
    while {[dict size [set event [$nc next_event -wait 0]]]} {
        puts [format "event %s %.6f" [dict get $event type] [dict get $event time]]
    }
}

proc put_done {facts} {
    set line done
    dict for {key value} $facts {
        append line " $key=$value"
    }
    puts $line
}

proc slower {name start} {
    set took [expr {[now] - $start}]
    if {$took > $::slowest($name)} {
        set ::slowest($name) $took
    }
}

# ---- echo: publish numbers, and receive them again ----

proc publish_due {} {
    upvar #0 echo self
    set rate $::words(rate)
    set most [expr {$rate / 10.0}]
    set due [expr {([now] - $self(began)) * $rate - $self(tried)}]
    if {$due > $most} { ;# it stood still: what was missed is not made up for
        set self(began) [expr {$self(began) + ($due - $most) / $rate}]
        set due $most
    }
    for {} {$due >= 1} {set due [expr {$due - 1}]} {
        set data [format %016ld [incr self(tried)]]$self(filler)
        set start [now]
        set failed [catch {$self(nc) publish $::words(subject) $data}]
        slower publish $start
        if {$failed} {
            incr self(refused)
            return
        }
        incr self(accepted)
    }
}

proc take {wait} {
    upvar #0 echo self
    set start [now]
    set batch [$self(sub) get -wait $wait]
    slower get $start
    foreach msg $batch {
        scan [dict get $msg data] %ld number
        if {$number <= $self(last)} {
            incr self(disorder)
        }
        set self(last) $number
        incr self(received)
    }
    return [llength $batch]
}

proc flush_within {seconds} {
    set start [now]
    set failed [catch {$::echo(nc) flush -timeout $seconds}]
    slower flush $start
    return [expr {!$failed}]
}

proc go_on {} {
    set flushed [now]
    while {![over]} {
        publish_due
        take 0
        if {$::words(flush) > 0 && [now] - $flushed >= $::words(flush)} {
            flush_within $::FLUSH
            set flushed [now]
        }
        put_events $::echo(nc)
        take $::TICK
    }
}

proc echo_mode {} {
    upvar #0 echo self
    array set self {tried 0 accepted 0 refused 0 received 0 disorder 0 last 0}
    array set ::slowest {publish 0 flush 0 get 0}
    set self(nc) [polynats connect $::url {*}$::options]
    set self(sub) [$self(nc) subscribe $::words(subject) -pending_msgs -1 -pending_bytes -1]
    set self(filler) [string repeat " " [expr {$::words(size) - 16}]]
    tell_harness ready
    set start [now]
    set self(began) $start
    go_on
    array set before_the_end [array get ::slowest]
    set seconds [expr {[now] - $start}]
    set limit [expr {[now] + $::PATIENCE}]
    while {![flush_within $::PATIENCE] && [now] < $limit} {}
    while {[take 0.5]} {}
    put_events $self(nc)
    set facts [list slowest_publish $::slowest(publish) seconds $seconds \
        slowest_flush $before_the_end(flush) slowest_get $before_the_end(get)]
    foreach name {accepted refused received disorder} {
        lappend facts $name $self($name)
    }
    dict for {name value} [$self(nc) stats] {
        lappend facts stat_$name $value
    }
    put_done $facts
    $self(nc) close
}

# ---- idle: no call at all from "ready" until the harness answers ----

proc idle_mode {} {
    set nc [polynats connect $::url {*}$::options]
    set sub [$nc subscribe $::words(subject)]
    $nc flush -timeout $::PATIENCE
    tell_harness ready
    set got [$sub get -wait 0]
    foreach msg $got {
        puts "event got [dict get $msg data]"
    }
    put_events $nc
    put_done [list received [llength $got]]
    $nc destroy
}

# ---- slow: one subscription is hardly read, another one is asked for its latency ----

proc probe {nc sub variable} {
    upvar 1 $variable took
    set start [now]
    $nc publish [$sub subject] ?
    if {![dict size [$sub next -timeout $::PATIENCE]]} {
        error "a probe did not come"
    }
    lappend took [expr {[now] - $start}]
    $sub next -timeout $::TICK
}

proc p99 {took} { return [lindex [lsort -real $took] [expr {[llength $took] * 99 / 100}]] }

proc slow_mode {} {
    set nc [polynats connect $::url {*}$::options]
    set sub [$nc subscribe $::words(subject) -pending_msgs -1 -pending_bytes $::words(limit)]
    set quick [$nc subscribe $::words(probe)]
    $nc flush -timeout $::PATIENCE
    tell_harness ready
    while {![over read_until]} {
        probe $nc $quick read
        $sub get -wait 0
    }
    put_events $nc
    tell_harness read
    set due [expr {[now] + 1}]
    while {![over]} {
        probe $nc $quick unread
        put_events $nc
        if {[now] >= $due} {
            $sub next -timeout 0
            set due [expr {$due + 1}]
        }
    }
    tell_harness full
    $nc flush -timeout $::PATIENCE
    while {[llength [$sub get -wait 0]]} {}
    put_events $nc
    set stats [$sub stats]
    put_done [list delivered [dict get $stats delivered] dropped [dict get $stats dropped] \
        pending [dict get $stats pending] received [dict get $stats received] \
        probes_read [llength $read] probes_slow [llength $unread] \
        p99_read [p99 $read] p99_slow [p99 $unread]]
    $nc close
}

# ---- connects: to servers good and bad, again and again ----

proc connect_all {urls from to} {
    set good 0
    for {set number $from} {$number < $to} {incr number} {
        set server [lindex $urls [expr {$number % [llength $urls]}]]
        if {[catch {polynats connect $server {*}$::options} nc]} {
            continue
        }
        $nc flush -timeout $::PATIENCE
        $nc destroy
        incr good
    }
    return $good
}

proc connects_mode {} {
    set urls [split $::url |]
    set warm $::words(warm)
    set all [expr {$warm + $::words(count)}]
    set good [connect_all $urls 0 $warm]
    tell_harness warm
    incr good [connect_all $urls $warm $all]
    tell_harness over
    put_done [list good $good bad [expr {$all - $good}]]
}

# ---- rounds: whole sessions, while signals come ----

proc play_round {} {
    set nc [polynats connect $::url {*}$::options]
    set sub [$nc subscribe $::words(subject)]
    set service [$nc subscribe $::words(service)]
    for {set i 0} {$i < $::ROUND_MSGS} {incr i} {
        $nc publish $::words(subject) x
    }
    $nc flush -timeout $::PATIENCE
    set received 0
    while {$received < $::ROUND_MSGS && [dict size [$sub next -timeout $::PATIENCE]]} {
        incr received
    }
    set future [$nc request_start $::words(service) ? -timeout $::PATIENCE]
    $nc respond [$service next -timeout $::PATIENCE] !
    if {[dict get [$future wait -timeout $::PATIENCE] data] ne "!"} {
        error "another reply"
    }
    if {[dict size [$sub next -timeout $::TICK]]} {
        error "one too many"
    }
    $nc destroy
    return $received
}

proc rounds_mode {} {
    set ::signals 0
    if {$::words(alarm)} {
        package require Tclx
        signal trap SIGALRM {incr ::signals}
    }
    tell_harness ready
    set rounds 0
    set received 0
    while {![over]} {
        incr received [play_round]
        incr rounds
    }
    tell_harness over
    put_done [list rounds $rounds received $received signals $::signals \
        expected [expr {$rounds * $::ROUND_MSGS}]]
}

if {$mode in {store work}} {
    source [file join [file dirname [info script]] worker_js.tcl]
}
${mode}_mode

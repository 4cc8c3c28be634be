# JetStream's part of the worker in Tcl: README.md has the words it takes and the lines it prints.

set CALL 2.0 ;# of what waits for the server
# A server that was killed has forgotten some of what it delivered, does not answer acks of that, and delivers it again.
set ACK_CALL 0.25
set QUEUE 10 ;# messages that may wait to be acknowledged
set SETTLE 60
set SILENCE 0.3 ;# longer ones are told
set PAUSE 0.05 ;# after a failure
set BURST 500 ;# messages between two looks at the rest
set WINDOW 256

# Tells when nothing came for longer than usual.
proc beat {name} {
    set time [now]
    if {[info exists ::pulse($name)] && $time - $::pulse($name) > $::SILENCE} {
        puts [format "event %s_silent %.6f" $name $::pulse($name)]
        puts [format "event %s_heard %.6f" $name $time]
    }
    set ::pulse($name) $time
}

proc pause {} { after [expr {int($::TICK * 1000)}] }

# ---- store: publish numbers, each until its ack comes, always with the same id ----

proc due {} {
    upvar #0 writer self
    if {[now] < $self(pause)} {
        return 0
    }
    set due [expr {int(([now] - $self(began)) * $::words(rate)) - $self(acked)}]
    return [expr {min($due, $::BURST)}]
}

# Who takes nothing now is left in peace for a moment.
proc failed {} {
    incr ::writer(unknown)
    set ::writer(pause) [expr {[now] + $::PAUSE}]
}

proc done {count} {
    if {$count > 0} {
        incr ::writer(acked) $count
        beat ack
    }
}

# One after the other: a message's number is its sequence, or something was lost or stored twice.
proc turn_sync {more} {
    upvar #0 writer self
    for {set due [expr {$more ? [due] : 0}]} {$due > 0} {incr due -1} {
        set number $self(next)
        if {[catch {
            $self(js) publish $::words(subject) $number -msg_id $number -timeout $::CALL
        } ack]} {
            failed
            return
        }
        incr self(duplicates) [expr {[dict get $ack duplicate] ? 1 : 0}]
        incr self(misplaced) [expr {[dict get $ack seq] != $number}]
        incr self(next)
        done 1
    }
}

proc publish_number {number} {
    upvar #0 writer self
    if {[catch {$self(publisher) publish $::words(subject) $number -msg_id $number} id]} {
        lappend self(again) $number
        return 0
    }
    dict set self(under_way) $id $number
    return 1
}

proc publish_all {more} {
    upvar #0 writer self
    set todo $self(again)
    set self(again) {}
    set at 0
    foreach number $todo {
        incr at
        if {![publish_number $number]} {
            lappend self(again) {*}[lrange $todo $at end]
            return
        }
    }
    set due [expr {$more ? [due] - $at : 0}]
    for {} {$due > 0} {incr due -1} {
        incr self(next)
        if {![publish_number [expr {$self(next) - 1}]]} {
            return
        }
    }
}

# Those that failed are published again; when none is under way any more the rest is acknowledged.
proc settle {} {
    upvar #0 writer self
    set stats [$self(publisher) stats]
    foreach failure [$self(publisher) failures] {
        set id [lindex $failure 0]
        lappend self(again) [dict get $self(under_way) $id]
        dict unset self(under_way) $id
        failed
    }
    set self(duplicates) [dict get $stats duplicates]
    if {[dict get $stats pending] == 0} {
        done [dict size $self(under_way)]
        set self(under_way) {}
    }
}

proc turn_window {more} {
    upvar #0 writer self
    if {![dict size $self(under_way)] && [now] >= $self(pause)} {
        publish_all $more
    }
    catch {$self(publisher) flush -timeout $::CALL} ;# failures has them one by one
    settle
}

# ---- what is stored comes to a consumer, at least once, and to an ordered one, once and in order ----

proc read_from {stream} {
    upvar #0 reader self
    set self(sub) [[$stream consumer $::words(consumer)] consume -heartbeat $::words(heartbeat)]
    set self(ordered) [[$stream ordered_consumer] consume -idle_heartbeat $::words(heartbeat)]
}

proc take_stored {wait} {
    upvar #0 reader self
    set batch [$self(sub) get -wait $wait]
    foreach msg $batch {
        set number [dict get $msg data]
        if {[info exists ::seen($number)]} {
            incr self(redelivered)
        } else {
            set ::seen($number) 1
            incr self(consumed)
        }
    }
    if {[llength $batch]} {
        catch {$::nc ack_many $batch}
        beat consumer
    }
    set more [$self(ordered) get -wait 0]
    foreach msg $more {
        set seq [dict get $msg metadata stream_seq]
        incr self(wrong) [expr {$seq != $self(last) + 1}]
        set self(last) $seq
    }
    if {[llength $more]} {
        beat ordered
    }
}

proc all_there {} {
    upvar #0 writer writer reader reader
    if {[dict size $writer(under_way)] || [llength $writer(again)]} {
        return 0
    }
    return [expr {![info exists reader(sub)]
        || ($reader(consumed) >= $writer(acked) && $reader(last) >= $writer(acked))}]
}

proc store_mode {} {
    upvar #0 writer writer reader reader
    array set writer {next 1 acked 0 unknown 0 duplicates 0 misplaced 0 again {} under_way {}}
    array set reader {consumed 0 redelivered 0 last 0 wrong 0}
    set ::nc [polynats connect $::url {*}$::options]
    set writer(js) [$::nc jetstream -timeout $::CALL]
    set turn turn_$::words(kind)
    if {$turn eq "turn_window"} {
        set writer(publisher) [$writer(js) publisher -max_pending $::WINDOW]
    }
    if {[info exists ::words(consumer)]} {
        read_from [$writer(js) stream $::words(stream)]
    }
    tell_harness ready
    set start [now]
    set writer(began) $start
    set writer(pause) $start
    set limit 0
    while {!$limit || (![all_there] && [now] < $limit)} {
        if {!$limit && [over]} {
            set limit [expr {[now] + $::SETTLE}]
        }
        $turn [expr {!$limit}]
        if {[info exists reader(sub)]} {
            take_stored $::TICK
        } else {
            pause
        }
        put_events $::nc
    }
    put_done [list acked $writer(acked) unknown $writer(unknown) duplicates $writer(duplicates) \
        misplaced $writer(misplaced) seconds [expr {[now] - $start}] consumed $reader(consumed) \
        redelivered $reader(redelivered) ordered $reader(last) wrong $reader(wrong)]
    $::nc close
}

# ---- work: acknowledge each message twice over; none of those comes again behind the answer ----

proc acknowledge {sub msg} {
    upvar #0 facts facts
    set number [dict get $msg data]
    incr facts(taken)
    incr facts([expr {[info exists ::seen($number)] ? "redelivered" : "seen"}])
    set ::seen($number) 1
    # What was sent before the answer was in the queue by then.
    if {[info exists ::acked($number)] && $facts(taken) > $::queued($number)} {
        puts [format "event again %.6f" $::acked($number)]
    }
    if {[catch {$::nc ack_sync $msg -timeout $::ACK_CALL}]} {
        incr facts(unknown)
        return
    }
    set stats [$sub stats]
    set ::acked($number) [now]
    set ::queued($number) [expr {[dict get $stats delivered] + [dict get $stats pending]}]
}

proc work_mode {} {
    array set ::facts {taken 0 seen 0 unknown 0 redelivered 0}
    set ::nc [polynats connect $::url {*}$::options]
    set stream [[$::nc jetstream -timeout $::CALL] stream $::words(stream)]
    set sub [[$stream consumer $::words(consumer)] consume -heartbeat $::words(heartbeat) \
        -max_messages $::QUEUE]
    tell_harness ready
    set began [now]
    while {![over]} {
        put_events $::nc
        if {[array size ::acked] > ([now] - $began) * $::words(rate)} {
            pause
            set ::pulse(message) [now]
            continue
        }
        set msg [$sub next -timeout $::TICK]
        if {[dict size $msg]} {
            beat message
            acknowledge $sub $msg
        }
    }
    put_done [list seen $::facts(seen) acked [array size ::acked] unknown $::facts(unknown) \
        redelivered $::facts(redelivered)]
    $::nc close
}

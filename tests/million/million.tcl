# So many messages through a stream, in Tcl: README.md has what it does and prints.
package require polynats

set chunk 1000
set pull 500
set wait 60
lassign $argv url count
set step [expr {$count / 10}]
fconfigure stdout -buffering line

proc tell {what done more} {
    if {$done / $::step != ($done - $more) / $::step} {
        puts "$what $done"
    }
}

proc assert {good text} {
    if {!$good} {
        error $text
    }
}

proc publish {js} {
    set publisher [$js publisher]
    for {set number 1} {$number <= $::count} {} {
        set datas {}
        while {[llength $datas] < $::chunk && $number <= $::count} {
            lappend datas [format %0128d $number]
            incr number
        }
        $publisher publish_many million $datas
        tell published [expr {$number - 1}] [llength $datas]
    }
    $publisher flush -timeout $::wait
    set stats [$publisher stats]
    assert [expr {[dict get $stats acked] == $::count && ![dict get $stats duplicates]}] $stats
    $publisher close
}

# Each is the next one.
proc take {batch number} {
    foreach msg $batch {
        incr number
        set place [dict get $msg metadata]
        assert [expr {[dict get $msg data] eq [format %0128d $number]
            && [dict get $place stream_seq] == $number
            && [dict get $place consumer_seq] == $number
            && [dict get $place delivered] == 1}] "$place is not $number"
    }
}

proc consume {nc consumer} {
    set sub [$consumer consume -max_messages $::pull]
    for {set done 0} {$done < $::count} {} {
        set batch [$sub get -max $::chunk -wait $::wait]
        set more [llength $batch]
        assert $more "message [expr {$done + 1}] did not come"
        take $batch $done
        incr done $more
        if {$done == $::count} {
            set last [lindex $batch end]
            set batch [lrange $batch 0 end-1]
        }
        set acked [$nc ack_many $batch]
        assert [expr {$acked == [llength $batch]}] "$acked acks"
        if {$done == $::count} {
            $nc ack_sync $last -timeout $::wait ;# the server has all of them then
        }
        tell consumed $done $more
    }
    $sub unsubscribe
}

set nc [polynats connect $url]
set js [$nc jetstream -timeout $wait]
set stream [$js create_stream -name MILLION -subjects million -storage file]
publish $js
set consumer [$stream create_consumer -durable_name reader -ack_policy explicit -ack_wait 600]
consume $nc $consumer
set info [$consumer info]
puts [list done [dict get [$stream info] state messages] [dict get $info ack_floor stream_seq] \
    [dict get $info num_ack_pending] [dict get $info num_pending]]
$nc close

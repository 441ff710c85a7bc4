import Doubles
import Foundation
import Model
import Pipeline
import Testing

@testable import Telemetry

@Suite("Events become metrics")
struct MetricsSinkTests {
    private let metrics = FarmMetrics(version: "0.2.0")
    private let worker = EventSource(service: "clip", queue: "queue_clip")
    private let date = Date(timeIntervalSince1970: 0)

    private func letter(_ reason: String) -> DeadLetter {
        DeadLetter(reason: reason, message: "", tries: 1, workerID: "w", firstFailure: date)
    }

    /// The samples after these events, without those that are 0, empty, or a bucket.
    private func samples(_ events: [(Event, EventSource)]) -> Set<String> {
        let sink = MetricsSink(metrics, time: ManualTime(date.addingTimeInterval(100)))
        for (event, source) in events { sink.receive(event, from: source) }
        return Set(
            metrics.registry.text.split(separator: "\n").map(String.init).filter { line in
                !line.hasPrefix("#") && !line.hasSuffix(" 0") && !line.contains("_bucket{")
                    && !line.hasPrefix("farm_build_info")
            })
    }

    private func samples(_ events: Event...) -> Set<String> { samples(events.map { ($0, worker) }) }

    @Test("pauses, limits and waits for them are told by service, also that nothing is paused")
    func control() {
        var clip = ServiceControl(service: "clip")
        clip.isPaused = true
        #expect(
            samples(
                .began(prefetch: 8), .controlChanged(ServiceControl(service: "colors")), .controlChanged(clip),
                .concurrencyChanged(3), .waitedForRate(seconds: 0.25), .waitedForRate(seconds: 1))
                == [
                    #"farm_prefetch_limit{service="clip"} 8"#, #"farm_paused{service="clip"} 1"#,
                    #"farm_concurrency_limit{service="clip"} 3"#,
                    #"farm_rate_limit_wait_seconds_total{service="clip"} 1.25"#,
                ])
        #expect(metrics.registry.text.contains(#"farm_paused{service="colors"} 0"#))
    }

    @Test("a job's way, from taken to acknowledged, is counted once at each step")
    func work() {
        #expect(
            samples(
                .began(prefetch: 8), .taken(7),
                .admitted(submittedAt: ["1970-01-01T00:01:38Z", "1970-01-01T00:01:10.000Z", "yesterday"]),
                .called(ServiceCall(outcome: "success", seconds: 0.5, bytes: 1000, reported: 0.25)),
                .called(ServiceCall(outcome: "timeout", seconds: 30)), .retried(.timeout),
                .committed(4, seconds: 0.125), .failuresStored(["not_json": 1]),
                .published(["queue_consensus": 3, "queue_bbox_merge": 1], seconds: 0.125),
                .settled(Settled(.success, count: 3, date: date, durations: [1, 1, 2])),
                .settled(Settled(.duplicate, count: 1, date: date)),
                .settled(Settled(.dead(letter("not_json")), count: 1, date: date, durations: [8])),
                .settled(Settled(.givenBack, count: 1, date: date)))
                == [
                    #"farm_prefetch_limit{service="clip"} 8"#,
                    #"farm_jobs_in_flight{service="clip"} 1"#,
                    #"farm_job_wait_seconds_sum{service="clip"} 32"#,
                    #"farm_job_wait_seconds_count{service="clip"} 2"#,
                    #"farm_service_request_duration_seconds_sum{service="clip",outcome="success"} 0.5"#,
                    #"farm_service_request_duration_seconds_count{service="clip",outcome="success"} 1"#,
                    #"farm_service_request_duration_seconds_sum{service="clip",outcome="timeout"} 30"#,
                    #"farm_service_request_duration_seconds_count{service="clip",outcome="timeout"} 1"#,
                    #"farm_service_reported_seconds_sum{service="clip"} 0.25"#,
                    #"farm_service_reported_seconds_count{service="clip"} 1"#,
                    #"farm_service_response_bytes_sum{service="clip"} 1000"#,
                    #"farm_service_response_bytes_count{service="clip"} 1"#,
                    #"farm_breaker_state{service="clip",state="closed"} 1"#,
                    #"farm_store_commit_seconds_sum{operation="results"} 0.125"#,
                    #"farm_store_commit_seconds_count{operation="results"} 1"#,
                    #"farm_store_batch_rows_sum{operation="results"} 4"#,
                    #"farm_store_batch_rows_count{operation="results"} 1"#,
                    #"farm_job_retries_total{service="clip",kind="timeout"} 1"#,
                    #"farm_job_errors_total{service="clip",kind="not_json"} 1"#,
                    #"farm_jobs_published_total{queue="queue_consensus"} 3"#,
                    #"farm_jobs_published_total{queue="queue_bbox_merge"} 1"#,
                    "farm_publish_confirm_seconds_sum 0.125", "farm_publish_confirm_seconds_count 1",
                    #"farm_job_duration_seconds_sum{service="clip"} 12"#,
                    #"farm_job_duration_seconds_count{service="clip"} 4"#,
                    #"farm_jobs_total{service="clip",outcome="success"} 3"#,
                    #"farm_jobs_total{service="clip",outcome="duplicate"} 1"#,
                    #"farm_jobs_total{service="clip",outcome="error"} 1"#,
                    #"farm_jobs_total{service="clip",outcome="given_back"} 1"#,
                    #"farm_dead_letters_total{queue="queue_clip",reason="not_json"} 1"#,
                ])
    }

    @Test("a role that begins anew holds nothing of what it had taken before")
    func restart() {
        #expect(
            samples(.began(prefetch: 8), .taken(3), .began(prefetch: 8))
                == [#"farm_prefetch_limit{service="clip"} 8"#])
    }

    @Test("a prefetch that a worker has found is told")
    func prefetch() {
        #expect(
            samples(.began(prefetch: 8), .taken(3), .prefetchChanged(64))
                == [#"farm_prefetch_limit{service="clip"} 64"#, #"farm_jobs_in_flight{service="clip"} 3"#])
    }

    @Test("a breaker is in one state at a time, and its openings are counted")
    func breaker() {
        #expect(
            samples(
                .breakerChanged(BreakerChange(.open, of: "clip", cause: "is down")), .probed(isUp: false),
                .breakerChanged(BreakerChange(.halfOpen, of: "clip")),
                .breakerChanged(BreakerChange(.open, of: "clip", isReopened: true)), .probed(isUp: true),
                .breakerChanged(BreakerChange(.halfOpen, of: "clip")))
                == [
                    #"farm_breaker_state{service="clip",state="half_open"} 1"#,
                    #"farm_breaker_opens_total{service="clip"} 1"#, #"farm_service_up{service="clip"} 1"#,
                ])
    }

    @Test("what a process shares, and what the post-processing roles do")
    func roles() {
        let (merger, consensus) = (
            EventSource(service: "bbox_merger", queue: "queue_bbox_merge"),
            EventSource(service: "consensus", queue: "queue_consensus")
        )
        let shared = EventSource()
        #expect(
            samples([
                (.storeFailed(.transient), merger), (.reconnected(connection: "c", place: "k2:5672"), shared),
                (.pictureFetched(succeeded: false, seconds: 4), shared),
                (.committed(40, seconds: 0.5), merger),
                (
                    .merged([
                        PredictionCount(service: "yolov8", fate: .fused, count: 6),
                        PredictionCount(service: "yolov8", fate: .lone, count: 2),
                        PredictionCount(service: "rtdetr", fate: .dropped, count: 3),
                        PredictionCount(service: "rtdetr", fate: .invalid(reason: "no label"), count: 5),
                    ]), merger
                ), (.agreed(lags: [3, 4]), consensus),
            ]) == [
                #"farm_store_commit_seconds_sum{operation="boxes"} 0.5"#,
                #"farm_store_commit_seconds_count{operation="boxes"} 1"#,
                #"farm_store_batch_rows_sum{operation="boxes"} 40"#,
                #"farm_store_batch_rows_count{operation="boxes"} 1"#,
                #"farm_store_errors_total{kind="transient"} 1"#, "farm_broker_reconnects_total 1",
                #"farm_image_fetch_seconds_sum{outcome="error"} 4"#,
                #"farm_image_fetch_seconds_count{outcome="error"} 1"#,
                #"farm_trigger_batch_images_sum{service="bbox_merger"} 40"#,
                #"farm_trigger_batch_images_count{service="bbox_merger"} 1"#,
                #"farm_merge_predictions_total{service="yolov8",fate="fused"} 6"#,
                #"farm_merge_predictions_total{service="yolov8",fate="lone"} 2"#,
                #"farm_merge_predictions_total{service="rtdetr",fate="dropped"} 3"#,
                #"farm_predictions_dropped_total{service="rtdetr",reason="no label"} 5"#,
                "farm_consensus_lag_seconds_sum 7", "farm_consensus_lag_seconds_count 2",
            ])
    }

    @Test("webhooks are counted by what came of them, and not as results or waiting jobs")
    func webhooks() {
        let callbacks = EventSource(service: "callbacks", queue: "queue_callbacks")
        #expect(
            samples([
                (.taken(3), callbacks), (.admitted(submittedAt: ["1970-01-01T00:01:38Z"]), callbacks),
                (.webhookPosted(outcome: "success", seconds: 0.5), callbacks),
                (.webhookPosted(outcome: "5xx", seconds: 2), callbacks), (.committed(2, seconds: 1), callbacks),
                (.settled(Settled(.success, count: 1, date: date, durations: [60])), callbacks),
                (.settled(Settled(.givenBack, count: 1, date: date)), callbacks),
            ]) == [
                #"farm_webhook_post_seconds_sum{outcome="success"} 0.5"#,
                #"farm_webhook_post_seconds_count{outcome="success"} 1"#,
                #"farm_webhook_post_seconds_sum{outcome="5xx"} 2"#,
                #"farm_webhook_post_seconds_count{outcome="5xx"} 1"#,
                #"farm_jobs_in_flight{service="callbacks"} 1"#,
                #"farm_jobs_total{service="callbacks",outcome="success"} 1"#,
                #"farm_jobs_total{service="callbacks",outcome="given_back"} 1"#,
                #"farm_job_duration_seconds_sum{service="callbacks"} 60"#,
                #"farm_job_duration_seconds_count{service="callbacks"} 1"#,
            ])
    }

    @Test("a service that is called is known before its first call")
    func known() {
        let sink = MetricsSink(metrics, time: ManualTime())
        sink.calls("face", concurrency: 4)
        let text = metrics.registry.text
        #expect(text.contains(#"farm_concurrency_limit{service="face"} 4"#))
        #expect(text.contains(#"farm_breaker_state{service="face",state="closed"} 1"#))
        #expect(text.contains(#"farm_breaker_opens_total{service="face"} 0"#))
    }
}

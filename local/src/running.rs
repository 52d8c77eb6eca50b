//! Starts and stops the local AWS: threads, port, function and queues.

use crate::clock::Clock;
use crate::config::{Handler, OnFailure, Options};
use crate::faults::FaultPlan;
use crate::front::Front;
use crate::function_state::FunctionState;
use crate::lambda::{EventConfig, Lambda, Place, Runner, Settings, World};
use crate::random::{Random, secret};
use crate::sandbox::{Host, Surroundings, can_change_folder, find_function_program, find_program};
use crate::secret::Secret;
use crate::server::serve;
use crate::signature::Checker;
use crate::sqs::{QueueAddress, Sqs, SqsError, SqsSettings};
use crate::stats::Stats;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The account of all ARNs.
const ACCOUNT: &str = "000000000000";
/// The variable that names the results queue to the function.
const QUEUE_URL: &str = "QUEUE_URL";
/// Time limit for the end of idle threads.
const THREADS_END: Duration = Duration::from_secs(5);
/// Time limit for the end of processes after SIGKILL.
const PROCESSES_END: Duration = Duration::from_secs(1);

/// Why the local AWS did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The kernel provided no random numbers for credentials and ids.
    #[error("no random numbers from the kernel: {0}")]
    Random(getrandom::Error),
    /// The handler's program was not found.
    #[error("{0}")]
    Handler(String),
    /// Threads could not be started.
    #[error("cannot start threads: {0}")]
    Threads(std::io::Error),
    /// The port is in use or not permitted.
    #[error("cannot listen on 127.0.0.1:{port}: {error}")]
    Port {
        /// The requested port.
        port: u16,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A queue could not be created.
    #[error("cannot create the queue {name}: {error}")]
    Queue {
        /// Name of the queue.
        name: String,
        /// SQS's reason.
        error: SqsError,
    },
}

/// A running local AWS. Dropping it is `stop` without grace.
#[derive(Debug)]
pub struct Running {
    /// `None` once stopped.
    runtime: Option<Runtime>,
    server: JoinHandle<()>,
    lambda: Lambda,
    grace: watch::Sender<Duration>,
    endpoint_url: String,
    region: String,
    access_key_id: String,
    secret_access_key: Secret,
    function_name: String,
    queue: QueueAddress,
    dead_letter_queue: QueueAddress,
}

/// Starts a Lambda and an SQS on 127.0.0.1, with one function, a results queue and a dead letter queue. Its threads are
/// named `lmbx-local-N`. They inherit the signal mask of the caller, which should block all signals, and the caller's
/// log. Must not be called from within an asynchronous runtime.
pub fn start(options: Options) -> Result<Running, StartError> {
    start_with(options, Box::new(|| ()))
}

/// What each thread calls first.
pub type OnThreadStart = Box<dyn Fn() + Send + Sync>;

/// Like [`start`]; each thread first calls `on_thread_start`. It is not generic: all that it leads to would be compiled in
/// the crate that calls it, with that crate's optimisation in place of this one's, which is for size.
pub fn start_with(options: Options, on_thread_start: OnThreadStart) -> Result<Running, StartError> {
    let runner = find_runner(&options)?;
    let (access_key_id, secret_access_key) = credentials(&options).map_err(StartError::Random)?;
    let lasting = options.lasting_credentials.clone();
    let runtime = threads(options.worker_threads, on_thread_start).map_err(StartError::Threads)?;
    let inside = runtime.enter();
    let bound = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)));
    let cannot_listen = |error| StartError::Port { port: options.port, error };
    let listener = bound.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    let endpoint_url = format!("http://{address}");

    let sqs = Sqs::new(SqsSettings {
        base_url: endpoint_url.clone(),
        account: ACCOUNT.to_owned(),
        region: options.region.clone(),
        message_faults: options.faults.messages,
    });
    let queue = make_queue(&sqs, &options.queue_name)?;
    let dead_letter_queue = make_queue(&sqs, &options.dead_letter_queue_name)?;
    let (grace, grace_changes) = watch::channel(Duration::ZERO);
    let stats = Arc::new(Stats::default());
    let random = Arc::new(Random::from_kernel().map_err(StartError::Random)?);
    let faults = Arc::new(FaultPlan::new(options.faults.clone()));
    let host = Host {
        stats: stats.clone(),
        random: random.clone(),
        clock: Clock::new(),
        surroundings: Surroundings {
            endpoint_url: endpoint_url.clone(),
            region: options.region.clone(),
            // On AWS a function has its own role: its credentials stay valid when the caller's expire.
            access_key_id: lasting.as_ref().map_or(&access_key_id, |(id, _)| id).clone(),
            secret_access_key: lasting.as_ref().map_or(&secret_access_key, |(_, secret)| secret).clone(),
            queue_url: queue.url.clone(),
            inherited: std::env::vars_os().collect(),
            env: options.env.clone(),
            working_directory: options.working_directory.clone(),
            output: options.handler_output.clone(),
        },
        grace: grace_changes,
    };
    let world = World {
        place: Place { region: options.region.clone(), account: ACCOUNT.to_owned() },
        sqs: sqs.clone(),
        faults: faults.clone(),
        host: Arc::new(host),
        queue_url: queue.url.clone(),
    };
    let settings = settings(&options, runner, &queue.url, &dead_letter_queue.arn);
    let lambda = Lambda::new(Arc::new(world), settings.clone());
    // The first function cannot exist already.
    let _ = lambda.create(&options.function_name, settings);
    let checker = Checker::new((access_key_id.clone(), secret_access_key.clone()), lasting, options.region.clone());
    let front = Front::new(checker, faults.clone(), lambda.clone(), sqs, stats.clone(), random);
    let server = runtime.spawn(async move {
        serve(listener, address, faults, front, || stats.connections.add()).await;
    });
    drop(inside);
    Ok(Running {
        runtime: Some(runtime),
        server,
        lambda,
        grace,
        endpoint_url,
        region: options.region,
        access_key_id,
        secret_access_key,
        function_name: options.function_name,
        queue,
        dead_letter_queue,
    })
}

/// The credentials of the options; missing parts are random.
fn credentials(options: &Options) -> Result<(String, Secret), getrandom::Error> {
    let access_key_id = match &options.access_key_id {
        Some(given) => given.clone(),
        None => format!("AKIA{}", secret(16)?),
    };
    let secret_access_key = match &options.secret_access_key {
        Some(given) => given.clone(),
        None => Secret::new(secret(40)?),
    };
    Ok((access_key_id, secret_access_key))
}

fn threads(number: usize, on_start: OnThreadStart) -> std::io::Result<Runtime> {
    let started = AtomicUsize::new(0);
    let log = tracing::dispatcher::get_default(Clone::clone);
    let runtime = Builder::new_multi_thread()
        .worker_threads(number)
        // One thread for reading /proc, started here and kept: Tokio panics if it has none and cannot start one.
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_secs(u64::from(u32::MAX)))
        .thread_name_fn(move || format!("lmbx-local-{}", started.fetch_add(1, Ordering::Relaxed)))
        // Forget the guard: the log is set for the life of the thread.
        .on_thread_start(move || {
            std::mem::forget(tracing::dispatcher::set_default(&log));
            on_start();
        })
        .enable_all()
        .build()?;
    drop(runtime.spawn_blocking(|| ()));
    Ok(runtime)
}

fn find_runner(options: &Options) -> Result<Runner, StartError> {
    if options.working_directory.is_some() && !can_change_folder() {
        return Err(StartError::Handler("working_directory needs glibc 2.29 or newer".into()));
    }
    match &options.handler {
        Handler::Builtin => Ok(Runner::Builtin(options.builtin.clone())),
        Handler::Exec => {
            let (named, library) = (options.program_dir.as_deref(), options.library_dir.as_deref());
            let program = find_function_program(named, library).map_err(StartError::Handler)?;
            Ok(Runner::Command(vec![program]))
        }
        Handler::Command(words) => {
            let mut command = words.clone();
            if let Some(program) = command.first_mut() {
                *program = find_program(program).map_err(StartError::Handler)?;
            }
            Ok(Runner::Command(command))
        }
    }
}

fn make_queue(sqs: &Sqs, name: &str) -> Result<QueueAddress, StartError> {
    let attributes: &[(&str, &str)] = if name.ends_with(".fifo") { &[("FifoQueue", "true")] } else { &[] };
    sqs.create_queue(name, attributes).map_err(|error| StartError::Queue { name: name.to_owned(), error })
}

fn settings(options: &Options, runner: Runner, queue_url: &str, dead_letter_queue: &str) -> Settings {
    let letters = |form| (options.on_failure == form).then(|| dead_letter_queue.to_owned());
    Settings {
        runner,
        timeout_ms: options.timeout_ms,
        memory_mb: options.memory_mb,
        // Like a deployed function, for checks of its configuration.
        env: BTreeMap::from([(
            QUEUE_URL.to_owned(),
            options.env.get(QUEUE_URL).map_or(queue_url, String::as_str).to_owned(),
        )]),
        handler_name: "bootstrap".into(),
        role: format!("arn:aws:iam::{ACCOUNT}:role/lambda-executor-local"),
        description: String::new(),
        state: FunctionState::Active,
        reserved_concurrency: options.concurrency,
        retry_base_ms: options.retry_base_ms,
        dead_letter_queue: letters(OnFailure::DeadLetterQueue),
        default_event_config: EventConfig {
            maximum_retry_attempts: options.maximum_retry_attempts,
            maximum_event_age_ms: options.maximum_event_age_ms,
            on_failure: letters(OnFailure::Destination),
        },
        event_configs: BTreeMap::new(),
    }
}

impl Running {
    /// `http://127.0.0.1:PORT`, for Lambda and SQS.
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// Region that requests must be signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Access key id that requests must be signed with.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Secret access key that requests must be signed with.
    pub fn secret_access_key(&self) -> &str {
        self.secret_access_key.reveal()
    }

    /// The function created at start.
    pub fn function_name(&self) -> &str {
        &self.function_name
    }

    /// The results queue created at start.
    pub fn queue_url(&self) -> &str {
        &self.queue.url
    }

    /// The dead letter queue created at start.
    pub fn dead_letter_queue_url(&self) -> &str {
        &self.dead_letter_queue.url
    }

    /// Ends everything: stops requests, sends SIGTERM to the process groups of the handlers, sends SIGKILL to the rest
    /// of their sessions when they have ended or after `grace`, joins all threads and closes all descriptors. Takes
    /// about as long as `grace` if a handler does not end by itself. Must not be called from within an asynchronous
    /// runtime.
    pub fn stop(mut self, grace: Duration) {
        self.end(grace);
    }

    fn end(&mut self, grace: Duration) {
        if let Some(runtime) = self.runtime.take() {
            self.server.abort();
            self.grace.send_replace(grace);
            let stopped = runtime.block_on(async { timeout(grace + PROCESSES_END, self.lambda.stop()).await });
            if stopped.is_err() {
                tracing::error!(
                    "processes of functions did not end within {} s after SIGKILL and are left running; perhaps this \
                     process may not send them signals any more (setuid)",
                    PROCESSES_END.as_secs()
                );
            }
            runtime.shutdown_timeout(THREADS_END);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

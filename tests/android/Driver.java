import PACKAGE.core.*;
import PACKAGE.exceptions.CometChatException;
import PACKAGE.models.*;
import android.content.Context;
import java.io.*;
import java.lang.reflect.Method;
import java.util.*;
import java.util.concurrent.*;

/**
 * Calls the SDK as an app does. Reads commands, one a line, and answers each with one line: what
 * the SDK called back with, the code of its error, NO_CALLBACK, or ABSENT for a method that this
 * version does not have. Takes the folder of the app's storage and the seconds a callback may take.
 */
public class Driver {
    private interface Call { void with(CometChat.CallbackListener listener) throws Exception; }
    private static final BlockingQueue<String> presence = new LinkedBlockingQueue<>();
    private static long limit;

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err);  // the SDK prints, too
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);  // as it ends an app on Android
        });
        Context context = new Context(new File(arguments[0]));
        limit = Long.parseLong(arguments[1]);
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = commands.readLine()) != null; ) {
            System.err.println("> " + line);
            answers.println(answer(context, line.split(" ")).replace('\n', ' '));
        }
        Runtime.getRuntime().halt(0);  // the SDK's threads run on
    }

    private static String answer(Context context, String[] words) throws InterruptedException {
        try {
            return told(perform(context, words));
        } catch (TimeoutException error) {
            return "NO_CALLBACK";
        } catch (NoSuchMethodException error) {
            return "ABSENT";
        } catch (Exception | LinkageError error) {
            error.printStackTrace();
            return error.toString();
        }
    }

    private static Object perform(Context context, String[] w) throws Exception {
        switch (w[0]) {
            case "init": return asked(l -> CometChat.init(context, w[1], settings(w[2]), l));
            case "login": return asked(l -> CometChat.login(w[1], w[2], l));
            case "token": return asked(l -> CometChat.login(w[1], l));
            case "logout": return asked(l -> CometChat.logout(l));
            case "me": return CometChat.getLoggedInUser();
            case "get": return asked(l -> CometChat.getUser(w[1], l));
            case "create": return asked(l -> CometChat.createUser(user(w[1], w[2]), "AUTH_KEY", l));
            case "update":
                return asked(l -> CometChat.updateUser(user(w[1], w[2]), "REST_API_KEY", l));
            case "rename":
                return asked(l -> optional("updateCurrentUserDetails", user("ignored", w[1]), l));
            case "users":
                UsersRequest users = new UsersRequest.UsersRequestBuilder().setLimit(30).build();
                return asked(l -> users.fetchNext(l));
            case "block": return asked(l -> CometChat.blockUsers(List.of(w[1]), l));
            case "unblock": return asked(l -> CometChat.unblockUsers(List.of(w[1]), l));
            case "blocked":
                BlockedUsersRequest blocked =
                    new BlockedUsersRequest.BlockedUsersRequestBuilder().setLimit(30).build();
                return asked(l -> blocked.fetchNext(l));
            case "conversations":
                ConversationsRequest conversations =
                    new ConversationsRequest.ConversationsRequestBuilder().setLimit(30).build();
                return asked(l -> conversations.fetchNext(l));
            case "count": return asked(l -> optional("getOnlineUserCount", l));
            case "push": return asked(l -> CometChat.registerTokenForPushNotification(w[1], l));
            case "register": return asked(l -> registerPushToken(w[1], l));
            case "connect": case "disconnect": return optional(w[0]);
            case "status": return status(w[1]);
            case "presence": return presence.poll(limit, TimeUnit.SECONDS);
            default: throw new IllegalArgumentException(w[0]);
        }
    }

    private static AppSettings settings(String host) throws Exception {
        CometChat.addUserListener("driver", new CometChat.UserListener() {
            public void onUserOnline(User user) { presence.add("online " + user.getUid()); }
            public void onUserOffline(User user) { presence.add("offline " + user.getUid()); }
        });
        AppSettings.AppSettingsBuilder builder =
            new AppSettings.AppSettingsBuilder().subscribePresenceForAllUsers().setRegion("us");
        if (!host.equals("live")) {
            for (String method : List.of("overrideAdminHost", "overrideClientHost"))
                builder.getClass().getMethod(method, String.class).invoke(builder, host);
        }
        return builder.build();
    }

    private static User user(String uid, String name) {
        User user = new User();
        user.setUid(uid);
        user.setName(name);
        return user;
    }

    private static Object asked(Call call) throws Exception {
        CompletableFuture<Object> answer = new CompletableFuture<>();
        call.with(new CometChat.CallbackListener<Object>() {
            public void onSuccess(Object result) { answer.complete(result); }
            public void onError(CometChatException error) { answer.complete(error); }
        });
        return answer.get(limit, TimeUnit.SECONDS);
    }

    /** Calls a method that not every version has. */
    private static Object optional(String name, Object... arguments) throws Exception {
        return optional(CometChat.class, name, arguments);
    }

    private static Object optional(Class<?> in, String name, Object... arguments) throws Exception {
        for (Method method : in.getMethods())
            if (method.getName().equals(name) && method.getParameterCount() == arguments.length)
                return method.invoke(null, arguments);
        throw new NoSuchMethodException(name);
    }

    private static void registerPushToken(String token, Object listener) throws Exception {
        try {
            Object platform = Class.forName("PACKAGE.enums.PushPlatforms").getEnumConstants()[0];
            Class<?> notifications = Class.forName("PACKAGE.core.CometChatNotifications");
            optional(notifications, "registerPushToken", token, platform, "provider", listener);
        } catch (ClassNotFoundException error) {
            throw new NoSuchMethodException(error.getMessage());
        }
    }

    private static String status(String wanted) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(limit);
        while (!wanted.equals(CometChat.getConnectionStatus()) && System.nanoTime() < end)
            Thread.sleep(20);
        return CometChat.getConnectionStatus();
    }

    private static String told(Object result) {
        if (result instanceof CometChatException) {
            System.err.println(((CometChatException) result).getMessage());
            return ((CometChatException) result).getCode();
        }
        if (result instanceof User) {
            User user = (User) result;
            return user.getUid() + "=" + user.getName();
        }
        if (result instanceof List) {
            List<String> all = new ArrayList<>();
            for (Object one : (List<?>) result)
                all.add(one instanceof User ? ((User) one).getUid() : told(one));
            Collections.sort(all);
            return String.join(",", all);
        }
        return String.valueOf(result);
    }
}
